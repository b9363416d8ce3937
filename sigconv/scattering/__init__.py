"""Scattering: what is left of a signal when what shifts and small warps change has been averaged out."""

from .cascade import Scattering

__all__ = ["Scattering"]
