from . import engines as engines
from . import hear as hear
from . import io as io
from . import kernels as kernels
from . import page as page
from . import scales as scales
from . import see as see
from . import spectrum as spectrum
from . import study as study
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
from .signal import Signal as Signal
from .specs import kernel as kernel
from .spectrum import spectrogram as spectrogram

__version__: str

__all__ = [
    "Domain", "SigconvError", "SigconvWarning", "Signal", "cascade", "convolve", "correlate", "diag", "engines", "grid", "hear",
    "io", "kernel", "kernels", "line", "load", "matrix", "page", "resample", "save", "scales", "see", "spectrogram", "spectrum",
    "study",
]
