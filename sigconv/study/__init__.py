"""Kernels in words and numbers, and what they change.

>>> import sigconv as sc
>>> describe(sc.kernel("0,1,0", sc.line(1, 8000)))
'identity: changes nothing, 3 taps'
"""

from .changes import Changed, changed
from .describing import describe
from .kinds import Kind, recognise
from .matrices import Mixing, mixing
from .measures import Facts, facts, filters

__all__ = ["Changed", "Facts", "Kind", "Mixing", "changed", "describe", "facts", "filters", "mixing", "recognise"]
