from . import applying as applying
from . import chain as chain
from . import engines as engines
from . import frames as frames
from . import hear as hear
from . import io as io
from . import kernels as kernels
from . import learn as learn
from . import lessons as lessons
from . import page as page
from . import scales as scales
from . import see as see
from . import spectrum as spectrum
from . import study as study
from .chain import bypass as bypass
from .chain import median as median
from .chain import mix as mix
from .chain import quantize as quantize
from .chain import relu as relu
from .convolving import cascade as cascade
from .convolving import convolve as convolve
from .convolving import correlate as correlate
from .convolving import diag as diag
from .convolving import matrix as matrix
from .domain import Domain as Domain
from .domain import grid as grid
from .domain import line as line
from .errors import SigconvError as SigconvError
from .errors import SigconvWarning as SigconvWarning
from .io import load as load
from .io import save as save
from .resampling import resample as resample
from .resampling import warp as warp
from .signal import Signal as Signal
from .specs import kernel as kernel
from .spectrum import sound as sound
from .spectrum import spectrogram as spectrogram
from .streaming import Stream as Stream

__version__: str

__all__ = [
    "Domain", "SigconvError", "SigconvWarning", "Signal", "Stream", "applying", "bypass", "cascade", "chain", "convolve",
    "correlate", "diag", "engines", "frames", "grid", "hear", "io", "kernel", "kernels", "learn", "lessons", "line", "load",
    "matrix", "median", "mix", "page", "quantize", "relu", "resample", "save", "scales", "see", "sound", "spectrogram",
    "spectrum", "study", "warp",
]
