"""The self-contained page of what was heard, and the view of a Signal in Jupyter."""

from . import embed
from .document import render, report
from .panels import Panel, across

__all__ = ["Panel", "across", "embed", "render", "report"]
