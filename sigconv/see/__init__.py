"""Pictures of signals and kernels.

Each function is ``f(data, *, ax=None) -> Axes``: it draws on `ax`, whose place is divided among the panels and which becomes
the first of them, or on a figure of its own, and shows nothing by itself (`ax.figure.savefig("x.png")`; Jupyter shows the
figure). Each has a sibling ``f_numbers(data)`` that returns what is drawn and nothing else: `Wave`, `Stems`, `Curves`, or
a `Sheet` of `Map` panels.
"""

from .aligning import scores, scores_numbers
from .banks import Filters, Scales, bank, bank_numbers, scalogram, scalogram_numbers
from .comparing import compare, compare_numbers
from .domains import across, across_numbers
from .filters import Stems, taps, taps_numbers
from .maps import Map, Sheet
from .panels import Axis
from .planes import image, image_numbers, video, video_numbers, volume, volume_numbers
from .responses import Curves, response, response_numbers
from .waveforms import Wave, signal, signal_numbers

__all__ = ["Axis", "Curves", "Filters", "Map", "Scales", "Sheet", "Stems", "Wave", "across", "across_numbers", "bank",
           "bank_numbers", "compare", "compare_numbers", "image", "image_numbers", "response", "response_numbers", "scalogram",
           "scalogram_numbers", "scores", "scores_numbers", "signal", "signal_numbers", "taps", "taps_numbers", "video",
           "video_numbers", "volume", "volume_numbers"]
