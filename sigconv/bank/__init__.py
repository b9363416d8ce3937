"""Banks that learn: any family, function or kernel as an `nn.Module`, with its way back to sound.

Entering this room opens torch. `Bank` is the module; `Energy` its quadrature magnitude as a module; `symmetric`, `octaves` and
`ears` make taps that share their numbers.

>>> import sigconv as sc
>>> x = sc.load(sc.io.sample("speech")).between(0, 0.2)
>>> bank = sc.Bank("gammatone:16,100,8000", x, stride=8, learn=("centre", "bandwidth"))
>>> bank.analysis(x).channels[0], sum(p.numel() for p in bank.parameters())
('100 Hz', 32)
"""

from .module import Bank, Drift, Energy
from .tying import ears, octaves, symmetric

__all__ = ["Bank", "Drift", "Energy", "ears", "octaves", "symmetric"]
