"""Families of kernels: plain functions of a domain and their parameters."""

from .shapes import edge

__all__ = ["edge"]
