"""The named kernels of images and volumes are those of scipy.ndimage and scikit-image, within the one numeric bound.

On a photograph and a head, with every padding mode: zeros is constant there, reflect mirror, symmetric reflect, replicate
nearest, circular wrap. Where the others cascade passes (a Gaussian an axis after the other) theirs round too: 16 eps of the
whole kernel's ‖h‖₁ holds all the same.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import scipy.ndimage as ndi
from command import REAL
from laws import bound, near

import sigconv as sc

MODES = {"zeros": "constant", "reflect": "mirror", "symmetric": "reflect", "replicate": "nearest", "circular": "wrap"}
SHAPES = ("image", "volume", "oblong")


@cache
def signal(name: str) -> sc.Signal:
    """A photograph, a head, and a part of the head with steps that differ."""
    real, sample = ("images/camera.png", "image") if name == "image" else ("volume/mni152_t1_2mm.npy", "volume")
    x = sc.load(REAL / real if REAL.exists() else sc.io.sample(sample)).to(dtype="float64")
    at = (slice(100, 140), slice(90, 127)) if name == "image" else (slice(20, 34), slice(22, 39), slice(18, 33))
    data = np.ascontiguousarray(x.data[(0, *at)])
    return sc.Signal(data, sc.Domain(data.shape, (1, 2, 0.5) if name == "oblong" else 1, 0, "mm" if name == "oblong" else "px"))


def check(name: str, k: sc.Signal, theirs, mode: str) -> None:
    x = signal(name)
    ours = sc.convolve(x, k, padding_mode=mode).data
    near(ours, theirs(x.data, MODES[mode]), bound(x.data, k.data, "float64"))


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


@pytest.fixture(params=SHAPES)
def name(request):
    return request.param


def steps(name: str, sigma: float) -> tuple[float, ...]:
    """A length of that many millimetres or pixels, in steps of each axis."""
    return tuple(sigma / float(step) for step in signal(name).domain.step)


@pytest.mark.parametrize("sigma", [0.8, 1.3])
def test_the_gaussians(name, mode, sigma):
    like, widths = signal(name).domain, steps(name, sigma)
    check(name, sc.kernels.gaussian(like, sigma), lambda x, m: ndi.gaussian_filter(x, widths, mode=m), mode)
    check(name, sc.kernels.log(like, sigma), lambda x, m: ndi.gaussian_laplace(x, widths, mode=m), mode)
    for k, axis in zip(channels(sc.kernels.derivative(like, sigma)), range(like.ndim), strict=True):
        order = tuple(int(a == axis) for a in range(like.ndim))
        check(name, k, lambda x, m, order=order: ndi.gaussian_filter(x, widths, order=order, mode=m), mode)
    own = sc.kernels.unsharp(like, sigma, 0.7)
    check(name, own, lambda x, m: x + 0.7 * (x - ndi.gaussian_filter(x, widths, mode=m)), mode)
    wide = tuple(1.6 * w for w in widths)
    check(name, sc.kernels.dog(like, sigma),
          lambda x, m: ndi.gaussian_filter(x, widths, mode=m) - ndi.gaussian_filter(x, wide, mode=m), mode)


def channels(k: sc.Signal) -> list[sc.Signal]:
    return [sc.Signal(taps, k.domain) for taps in k.data]


def test_differences_and_means(name, mode):
    like = signal(name).domain
    check(name, sc.kernels.laplace(like), lambda x, m: ndi.laplace(x, mode=m), mode)
    check(name, sc.kernels.sharpen(like, 0.7), lambda x, m: x - 0.7 * ndi.laplace(x, mode=m), mode)
    widths = tuple(n * float(s) for n, s in zip((3, 5, 1), like.step, strict=False))
    check(name, sc.kernels.box(like, widths), lambda x, m: ndi.uniform_filter(x, (3, 5, 1)[: like.ndim], mode=m), mode)
    ramp = np.indices((3,) * like.ndim).sum(0) - like.ndim
    ramp[(1,) * like.ndim] += 1
    check(name, sc.kernels.emboss(like), lambda x, m: ndi.correlate(x, ramp.astype(float), mode=m), mode)
    for k, axis in zip(channels(sc.kernels.edge(like)), range(like.ndim), strict=True):
        check(name, k, lambda x, m, axis=axis: differenced(x, m, axis), mode)


def differenced(x: np.ndarray, m: str, axis: int) -> np.ndarray:
    """[1, −1] along an axis, [½, ½] along the others, one after another, as ndimage correlates two taps."""
    for other in range(x.ndim):
        x = ndi.correlate1d(x, [-1.0, 1.0] if other == axis else [0.5, 0.5], other, mode=m)
    return x


def test_emboss_is_the_relief_of_photo_editors():
    """Photoshop's and GIMP's [[−2, −1, 0], [−1, 1, 1], [0, 1, 2]], which they correlate with."""
    x = signal("image")
    theirs = ndi.correlate(x.data, np.array([[-2.0, -1, 0], [-1, 1, 1], [0, 1, 2]]), mode="mirror")
    near(sc.convolve(x, sc.kernels.emboss(x.domain), padding_mode="reflect").data, theirs, bound(x.data, 9.0, "float64"))


@pytest.mark.parametrize(("spec", "theirs"), [("[[1,0,-1],[2,0,-2],[1,0,-1]]", ndi.sobel),
                                              ("[[1,0,-1],[1,0,-1],[1,0,-1]]", ndi.prewitt)])
def test_typed_sobel_and_prewitt(mode, spec, theirs):
    check("image", sc.kernel(spec, signal("image")), lambda x, m: theirs(x, axis=1, mode=m), mode)


@pytest.mark.parametrize("angle", [0, 30, 45, 77, 90, 135, 200])
def test_motion(name, mode, angle):
    """The mean along the path: sampled a thousand times to the pixel, each sample the pixel that it falls into."""
    like = signal(name).domain
    length = 5 * float(like.step[-1])
    k = sc.kernels.motion(like, length, angle, *((20,) if like.ndim == 3 else ()))
    turn, rise = np.radians(angle), np.radians(20 if like.ndim == 3 else 0)
    way = np.array([np.sin(rise), np.cos(rise) * np.sin(turn), np.cos(rise) * np.cos(turn)][3 - like.ndim:])
    far = length * ((np.arange(5000) + 0.5) / 5000 - 0.5)
    places = np.rint(far[:, None] * way / [float(s) for s in like.step]).astype(int)
    drawn = np.zeros(k.domain.shape)
    np.add.at(drawn, tuple((places + np.array(drawn.shape) // 2).T), 1 / 5000)
    near(k.data, drawn, 1e-3)
    check(name, k, lambda x, m: ndi.convolve(x, k.data, mode=m), mode)


# ---- scikit-image

@pytest.fixture(scope="module")
def filters():
    return pytest.importorskip("skimage.filters")


def test_skimage_gaussian_unsharp_and_dog(filters, name):
    x = signal(name)
    low = steps(name, 1.2)
    high = tuple(1.6 * s for s in low)
    for k, theirs, mode in (
            (sc.kernels.gaussian(x.domain, 1.2), filters.gaussian(x.data, low, mode="nearest"), "replicate"),
            (sc.kernels.dog(x.domain, 1.2), filters.difference_of_gaussians(x.data, low, high, mode="mirror"), "reflect")):
        near(sc.convolve(x, k, padding_mode=mode).data, theirs, bound(x.data, k.data, "float64"))
    if name != "oblong":  # its radius is one for all axes
        k = sc.kernels.unsharp(x.domain, 1.2, 1.5)
        theirs = filters.unsharp_mask(x.data, 1.2, 1.5, preserve_range=True)
        near(sc.convolve(x, k, padding_mode="symmetric").data, theirs, bound(x.data, k.data, "float64"))


@pytest.mark.parametrize(("frequency", "angle", "bandwidth", "phase"), [(0.125, 0, 1, 0), (0.2, 30, 1, 0), (0.25, 90, 0.7, 45),
                                                                         (0.3, 135, 1.5, 90), (0.2, 210, 1, -60)])
def test_skimage_gabor(filters, mode, frequency, angle, bandwidth, phase):
    """Its taps reach 3σ·max(|cos|, |sin|), ours 3σ at every angle: asked for as many, they are equal."""
    turn = np.radians(angle)
    theirs = filters.gabor_kernel(frequency, turn, bandwidth, offset=np.radians(phase),
                                  n_stds=3 / max(abs(np.cos(turn)), abs(np.sin(turn))))
    k = sc.kernels.gabor(signal("image").domain, frequency, bandwidth, angle, phase=phase)
    near(k.data, theirs, 1e-14)
    check("image", k, lambda x, m: ndi.convolve(x, theirs.real, mode=m) + 1j * ndi.convolve(x, theirs.imag, mode=m), mode)


@pytest.mark.parametrize("ours", ["laplace", "sobel", "prewitt", "scharr"])
def test_skimage_differences(filters, ours):
    """Its Laplace has the other sign; its sobel_h and the like are ours divided by what they weigh."""
    x = signal("image")
    spec, theirs, scale = {"laplace": ("laplace", filters.laplace, -1.0),
                           "sobel": ("[[1,0,-1],[2,0,-2],[1,0,-1]]", filters.sobel_v, 0.25),
                           "prewitt": ("[[1,0,-1],[1,0,-1],[1,0,-1]]", filters.prewitt_v, 1 / 3),
                           "scharr": ("[[3,0,-3],[10,0,-10],[3,0,-3]]", filters.scharr_v, 1 / 16)}[ours]
    k = sc.kernel(spec, x) * scale
    y = sc.convolve(x, k, padding_mode="symmetric").data
    near(y[1:-1, 1:-1], theirs(x.data)[1:-1, 1:-1], bound(x.data, k.data, "float64"))
