"""Convolution of tensors: NumPy's methods with gradients of their own; compiled, exported, differentiated twice."""

import importlib

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from laws import bound, near

from sigconv.engines import METHODS, conv, tensors

torch.set_num_threads(1)
methods = importlib.import_module("sigconv.engines.methods")


def pair(*shapes, dtype=torch.float64, seed=0):
    made = torch.Generator().manual_seed(seed)
    return [torch.randn(s, dtype=dtype, generator=made).requires_grad_() for s in shapes]


CASES = {
    "line": ((2, 1, 13), (1, 1, 4), {}),
    "layer": ((2, 4, 13), (6, 4, 3), {"window": (0, 15)}),
    "groups": ((1, 4, 13), (6, 2, 3), {"groups": 2, "window": (-2, 9)}),
    "strides": ((2, 2, 14), (4, 2, 5), {"stride": 3, "window": (1, 17)}),
    "strides longer than taps": ((1, 2, 14), (4, 2, 2), {"stride": 3}),
    "strides and groups": ((1, 4, 14), (4, 2, 5), {"stride": 2, "groups": 2, "window": (3, 20)}),
    "dilation": ((1, 2, 13), (2, 2, 3), {"dilation": 2, "stride": 2}),
    "a kernel longer than the signal": ((1, 1, 3), (2, 1, 5), {"window": (0, 7)}),
    "beyond all": ((1, 1, 5), (2, 1, 3), {"window": (-4, 12)}),
    "nothing": ((1, 1, 2), (2, 1, 5), {}),
    "plane": ((1, 2, 5, 6), (2, 2, 2, 3), {"stride": (1, 2), "window": [(0, 6), (1, 8)]}),
    "plane of filters": ((1, 2, 5, 6), (2, 1, 3, 2), {"groups": 2}),
    "volume": ((1, 1, 4, 3, 4), (1, 1, 2, 2, 3), {"window": [(0, 5), (0, 4), (1, 4)]}),
}


@pytest.mark.parametrize("case", CASES)
def test_gradients_are_those_of_differences(case):
    shape, taps, options = CASES[case]
    x, w = pair(shape, taps)
    assert torch.autograd.gradcheck(lambda x, w: conv(x, w, **options), (x, w))


@pytest.mark.parametrize("case", CASES)
def test_double_backward(case):
    shape, taps, options = CASES[case]
    x, w = pair(shape, taps)
    assert torch.autograd.gradgradcheck(lambda x, w: conv(x, w, **options), (x, w))


@pytest.mark.parametrize("kinds", [(torch.complex128, torch.complex128), (torch.float64, torch.complex128),
                                   (torch.complex128, torch.float64)])
def test_complex_gradients(kinds):
    x, w = pair((1, 2, 9), (3, 2, 4), dtype=kinds[0])[0], pair((1, 2, 9), (3, 2, 4), dtype=kinds[1])[1]
    assert torch.autograd.gradcheck(lambda x, w: conv(x, w, stride=2, window=(0, 12)), (x, w))


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_has_the_same_gradient(method):
    own = {"bands": ((1, 2, 9, 8), (2, 1, 3, 3), {"groups": 2}), "separable": ((1, 1, 9, 8), (1, 1, 3, 1), {}),
           "lags": ((1, 2, 60), (2, 2, 50), {}), "dense": ((1, 8, 30), (8, 8, 5), {}),
           "blocked": ((2, 2, 300), (2, 1, 20), {"groups": 2})}
    shape, taps, options = own.get(method, ((2, 4, 60), (4, 2, 9), {"groups": 2}))
    dtype = torch.float32 if method == "dense" else torch.float64
    x, w = pair(shape, taps, dtype=dtype)
    if not methods.serves(method, _job(x, w, options), x.detach().numpy().dtype.char):
        pytest.skip("another kind of job")
    y = conv(x, w, method=method, **options)
    g = torch.randn(y.shape, dtype=dtype, generator=torch.Generator().manual_seed(1))
    got = torch.autograd.grad(y, (x, w), g)
    wanted = torch.autograd.grad(conv(x.double(), w.double(), method="direct", **options), (x, w), g.double())
    eps = float(torch.finfo(dtype).eps)
    for a, b in zip(got, wanted, strict=True):
        assert (a - b).abs().max() <= 64 * eps * max(float(b.abs().max()), 1) * 8


def _job(x, w, options):
    from sigconv.engines.job import Job

    return Job.of(x, w, options.get("stride", 1), options.get("dilation", 1), options.get("groups", 1), options.get("window"))


@given(st.integers(1, 2), st.sampled_from([(1, 1, 1), (2, 3, 1), (4, 4, 2), (16, 8, 1)]), st.integers(1, 200), st.integers(1, 40),
       st.integers(1, 4), st.integers(1, 3))
def test_gradients_are_torchs_own(batch, shape, n, k, stride, dilation):
    c, m, groups = shape
    n += (k - 1) * dilation
    x, w = pair((batch, c, n), (m, c // groups, k), seed=n)
    ours = conv(x, w, stride=stride, dilation=dilation, groups=groups)
    theirs = torch.nn.functional.conv1d(x, w.flip(2), stride=stride, dilation=dilation, groups=groups)
    g = torch.randn(ours.shape, dtype=ours.dtype, generator=torch.Generator().manual_seed(k))
    for a, b in zip(torch.autograd.grad(ours, (x, w), g), torch.autograd.grad(theirs, (x, w), g), strict=True):
        torch.testing.assert_close(a, b, atol=1e-11, rtol=1e-11)


def test_long_gradients_keep_the_bound():
    """A sum of 100 000 equal products in single precision, in order, would be off by thousands of eps."""
    x, w = torch.full((1, 1, 100_000), 0.7, requires_grad=True), torch.full((1, 1, 33), 0.1, requires_grad=True)
    y = conv(x, w)
    g = torch.full_like(y, 0.3)
    of_w, = torch.autograd.grad(y, w, g)
    exact = float(np.float32(0.7)) * float(np.float32(0.3)) * y.shape[-1]
    near(of_w.numpy(), np.full((1, 1, 33), exact), bound(g.numpy(), 0.7, "float32", 16 * g.numel()))


def test_only_the_signal_and_the_taps_are_kept():
    x, w = pair((1, 1, 5000), (8, 1, 33), dtype=torch.float32)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.data_ptr()) or t, lambda t: t):
        conv(x, w).sum()
    assert sorted(kept) == sorted([x.data_ptr(), w.data_ptr()])


def test_one_gradient_alone():
    x, w = pair((1, 1, 50), (2, 1, 5))
    assert torch.autograd.grad(conv(x.detach(), w).sum(), w)[0].shape == w.shape
    assert torch.autograd.grad(conv(x, w.detach()).sum(), x)[0].shape == x.shape
    assert not conv(x.detach(), w.detach()).requires_grad
    with torch.no_grad():
        assert not conv(x, w).requires_grad


@pytest.mark.parametrize("dynamic", [False, True])
def test_compile(dynamic):
    """One operation in the graph, the same samples and gradients."""
    def f(x, w):
        return conv(torch.tanh(x), w, stride=2, window=(2, 50)).square().sum()

    tensors.ready()
    compiled = torch.compile(f, fullgraph=True, dynamic=dynamic, backend="aot_eager")
    for n in (60, 75):
        x, w = pair((2, 4, n), (6, 4, 5), dtype=torch.float32, seed=n)
        torch.testing.assert_close(compiled(x, w), f(x, w))
        for a, b in zip(torch.autograd.grad(compiled(x, w), (x, w)), torch.autograd.grad(f(x, w), (x, w)), strict=True):
            torch.testing.assert_close(a, b)


class Layer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.randn((6, 4, 5), generator=torch.Generator().manual_seed(0)))

    def forward(self, x):
        return conv(x, self.w, stride=2, window=(2, x.shape[-1] + 2))


def test_export():
    """Exported it is torch's own convolution, for any batch and length, and needs no sigconv where it runs."""
    layer = Layer()
    shapes = {"x": {0: torch.export.Dim("batch"), 2: torch.export.Dim("time", min=8, max=4000)}}
    program = torch.export.export(layer, (torch.randn(2, 4, 50),), dynamic_shapes=shapes)
    assert not any("sigconv" in str(node.target) for node in program.graph.nodes)
    for batch, n in ((2, 50), (3, 77), (1, 1000)):
        x = torch.randn((batch, 4, n), generator=torch.Generator().manual_seed(n))
        torch.testing.assert_close(program.module()(x), layer(x), atol=1e-5, rtol=1e-5)


def test_torch_func_takes_torchs_operations():
    x, w = (t.detach() for t in pair((2, 1, 20), (3, 1, 4)))
    wanted = torch.autograd.functional.jacobian(lambda w: conv(x, w), w)
    torch.testing.assert_close(torch.func.jacrev(lambda w: conv(x, w))(w), wanted)
    batched = torch.func.vmap(lambda x: conv(x[None], w)[0])(x)
    torch.testing.assert_close(batched, conv(x, w))


def test_tensors_and_arrays_share_their_samples_and_methods(monkeypatch):
    asked = []
    perform = tensors.perform
    monkeypatch.setattr(tensors, "perform", lambda x, w, job, method: asked.append(type(x)) or perform(x, w, job, method))
    x, w = pair((1, 1, 300), (1, 1, 9))
    y = conv(x, w)
    y.sum().backward()
    assert asked == [np.ndarray] * 3
    assert np.array_equal(y.detach().numpy(), conv(x.detach().numpy(), w.detach().numpy(), method="direct"))
