"""Banks from examples: snippets of recordings as kernels, the first layer of what a support-vector machine is.

Such a machine is a layer of templates and a linear one on top. Here the templates are cut from the examples: snippets about
their strongest samples, of norm 1 and one sign, then their centres of gravity in n groups: of norm 1, k-means goes by cosine.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import arrays
from ..domain import Domain
from ..errors import SigconvError
from ..signal import Signal

__all__ = ["templates"]

QUIET = 0.1  # of a clip's strongest snippet: quieter ones are left out
MOST = 200  # snippets looked at for every template


def templates(clips: Sequence[Signal], n: int, taps: int, labels: Sequence[Any] | None = None, seed: int = 0) -> Signal:
    """`n` templates of `taps` samples from examples, or `n` for each label: unit norm, as snippets lie; for `correlate`.

    `clips`: Signals on lines of one step, all channels of them. Snippets are cut about samples that are the strongest in theirs,
    as far as they are no more than 20 dB below the clip's loudest, turned so that these are positive, brought to norm 1 and
    grouped by k-means (`scipy.cluster.vq`, from `seed`). Centred; channels are called by label and number.

    >>> import sigconv as sc
    >>> x = sc.load(sc.io.sample("speech"))
    >>> k = templates([x], 3, 64)
    >>> k.value, [round(float(v), 6) for v in (k.data**2).sum(1)]
    ((3,), [1.0, 1.0, 1.0])

    Raises `SigconvError` for clips of several steps, and where there are fewer snippets than templates.
    """
    clips = list(clips)
    if not clips or not all(isinstance(c, Signal) and c.domain.ndim == 1 for c in clips):
        raise SigconvError("templates of nothing: wanted clips, Signals on lines")
    domain = clips[0].domain
    if any(c.domain.step != domain.step for c in clips):
        raise SigconvError("clips of several rates: wanted one; sc.resample brings them to it")
    if labels is not None and len(labels) != len(clips):
        raise SigconvError(f"{len(labels)} labels of {len(clips)} clips: wanted one for each")
    if n < 1 or taps < 1:
        raise SigconvError(f"{n} templates of {taps} taps: wanted at least 1 of each")
    rng = np.random.default_rng(seed)
    found, names = [], []
    for label in [None] if labels is None else sorted(set(labels)):
        own = clips if labels is None else [c for c, given in zip(clips, labels, strict=True) if given == label]
        found.append(_grouped(np.concatenate([_snippets(c, taps) for c in own]), n, rng, label))
        names += [f"{'' if label is None else f'{label} '}{i + 1}" for i in range(n)]
    return Signal(np.concatenate(found), Domain(taps, domain.step, -((taps - 1) // 2), domain.unit, domain.name), names)


def _snippets(clip: Signal, taps: int) -> np.ndarray:
    """(snippets, taps) about the strongest sample of each stretch, where it is the snippet's too and that is loud; norm 1."""
    found = []
    before = (taps - 1) // 2
    for channel in arrays.to_numpy(clip.data).reshape(-1, clip.domain.size).astype(np.float64):
        channel = channel - channel.mean() if channel.size else channel
        whole = np.concatenate([channel, np.zeros(-len(channel) % taps)]).reshape(-1, taps)
        middles = np.arange(len(whole)) * taps + np.abs(whole).argmax(1)
        padded = np.pad(channel, (before, 2 * taps))
        cut = padded[middles[:, None] + np.arange(taps)]
        cut = cut * np.sign(cut[:, before:before + 1])
        norm = np.linalg.norm(cut, axis=1)
        loud = (norm > max(QUIET * norm.max(initial=0), 1e-12)) & (cut[:, before] >= np.abs(cut).max(1))
        found.append(cut[loud] / norm[loud, None])
    return np.concatenate(found) if found else np.zeros((0, taps))


def _grouped(snippets: np.ndarray, n: int, rng: np.random.Generator, label: Any) -> np.ndarray:
    """Centres of gravity of n groups, on the sphere."""
    from scipy.cluster.vq import kmeans2

    if len(snippets) < n:
        what = "" if label is None else f" of {label}"
        raise SigconvError(f"{len(snippets)} snippets{what}: wanted at least {n}; give more clips, or ask for fewer templates")
    some = snippets[rng.permutation(len(snippets))[: MOST * n]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of groups that lost their members
        centres, group = kmeans2(some, n, iter=20, minit="++", rng=rng)
    for i in np.flatnonzero(np.bincount(group, minlength=n) == 0):
        centres[i] = some[rng.integers(len(some))]
    return centres / np.linalg.norm(centres, axis=1, keepdims=True)
