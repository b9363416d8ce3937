"""Files through kernels as they are: nothing matched, guarded or normalised, in memory that does not grow with the file.

A sound comes in blocks, goes through a `Stream`, and is written as it comes; images, volumes and arrays are convolved whole.
"""

from .clusters import BACKENDS, clustered
from .files import Job, apply
from .flow import through
from .hands import Died, spread
from .record import Record

__all__ = ["BACKENDS", "Died", "Job", "Record", "apply", "clustered", "spread", "through"]
