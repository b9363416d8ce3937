"""The convolution as the matrix that it is: Toeplitz on a line, doubly block Toeplitz in the plane.

Row (m, f) holds the taps of filter m, reversed, against the samples that output f reads:

    T[(m, f), (c, i)] = w[m, c, (f − i)/d]    where that is a tap, else 0.

Its rows say what an output listens to (alignment), its columns what a sample sends out (synthesis), its transpose is
the adjoint. NumPy gets it sparse, torch dense and differentiable.
"""

from __future__ import annotations

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np

from .. import arrays
from ..arrays import Array
from ..errors import SigconvError
from .direct import EXACT
from .job import Job

__all__ = ["LIMIT", "matrix", "toeplitz"]

LIMIT = 2**26  # entries stored


def toeplitz(w: Array, job: Job) -> Any:
    """The matrix (m · prod(o), c · prod(n)) of a job: a `scipy.sparse.csr_array`, or a dense tensor where w is one.

    Raises `SigconvError` above 2²⁶ entries (stored ones, where sparse).
    """
    rows, columns = job.filters * prod(job.out), job.channels * prod(job.n)
    entries = rows * columns if arrays.is_tensor(w) else rows * job.terms
    if entries > LIMIT:
        raise SigconvError(f"a Toeplitz matrix of {rows} × {columns} with {entries} entries: wanted at most 2^26; "
                           "use another method, or fewer samples")
    row, column, tap = _entries(job)
    if arrays.is_tensor(w):
        import torch

        place = torch.from_numpy(row * columns + column).to(w.device)
        values = w.reshape(-1)[torch.from_numpy(tap).to(w.device)]
        return torch.zeros(rows * columns, dtype=w.dtype, device=w.device).index_put((place,), values).reshape(rows, columns)
    from scipy.sparse import csr_array

    return csr_array((w.reshape(-1)[tap], (row, column)), shape=(rows, columns))


def _entries(job: Job) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Row, column and flat index into w of every entry: all combinations of one (output, sample, tap) an axis."""
    row = column = tap = np.zeros(1, dtype=np.int64)
    for axis, (n, k, o) in enumerate(zip(job.n, job.k, job.out, strict=True)):
        out, taps = np.meshgrid(np.arange(o), np.arange(k), indexing="ij")
        sample = job.first[axis] + job.stride[axis] * out - job.dilation[axis] * taps
        exists = (sample >= 0) & (sample < n)
        row, column, tap = (np.add.outer(whole * size, part[exists]).ravel()
                            for whole, size, part in ((row, o, out), (column, n, sample), (tap, k, taps)))
    per, each = job.channels // job.groups, job.filters // job.groups
    m, c = np.meshgrid(np.arange(job.filters), np.arange(per), indexing="ij")
    channel = m // each * per + c
    sizes = prod(job.out), prod(job.n), prod(job.k)
    return tuple(np.add.outer(lead.ravel() * size, part).ravel()  # type: ignore[return-value]
                 for lead, size, part in zip((m, channel, m * per + c), sizes, (row, column, tap), strict=True))


def matrix(x: Array, w: Array, job: Job) -> Array:
    """The convolution as a product with its matrix, a group at a time: a NaN times a zero of the matrix is NaN."""
    if job.groups > 1:
        part = replace(job, channels=job.channels // job.groups, filters=job.filters // job.groups, groups=1)
        of = [(slice(g * part.channels, (g + 1) * part.channels), slice(g * part.filters, (g + 1) * part.filters))
              for g in range(job.groups)]
        return arrays.namespace(x).concat([matrix(x[:, c], w[m], part) for c, m in of], axis=1)
    if arrays.dtype_name(x) in ("float32", "complex64") and job.terms > EXACT:  # as in `direct`
        return arrays.namespace(x).astype(matrix(arrays.accurate(x), arrays.accurate(w), job), x.dtype)
    table = toeplitz(w, job)
    flat = x.reshape(job.batch, -1)
    if arrays.is_tensor(x):
        return (table @ flat.T).T.reshape(job.shape)
    wide = (np.clongdouble if arrays.is_complex(x) else np.longdouble) if job.terms > EXACT else x.dtype  # rows sum in order
    return np.ascontiguousarray((table.astype(wide) @ flat.T.astype(wide)).T, x.dtype).reshape(job.shape)
