"""Filters learned from data.

>>> import sigconv as sc
>>> x = sc.load(sc.io.sample("speech"))
>>> sc.learn.oja(x, 4, 32).value
(4,)
"""

from .examples import templates
from .hebbian import dct_matches, oja

__all__ = ["dct_matches", "oja", "templates"]
