"""A net for other programs: safetensors, torch.export, ONNX; each read back and compared with the net before it is kept."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import SigconvError, UsageError, printable
from ..writing import Outputs
from .weights import packed

if TYPE_CHECKING:
    from .nets import Net

__all__ = ["FORMS", "export"]

FORMS = {"safetensors": ".safetensors", "export": ".pt2", "onnx": ".onnx"}
BOUND = 1e-4  # of the largest logit


def export(net: Net, path: Any, form: str | None = None, overwrite: bool = False) -> float:
    """Write a net as `"safetensors"`, `"export"` (torch.export) or `"onnx"`, by default as the suffix says: .safetensors, .pt2,
    .onnx.

    What is written takes samples (clips, window) at `net.rate`, levelled, and gives logits (clips, labels). It is read back and
    run beside the net first; returned is the largest difference of their logits, relative to the largest of them. An .onnx bears
    labels, rate and window in its metadata.

    >>> import tempfile
    >>> from sigconv.learn import Net
    >>> export(Net("m5", labels=["no", "yes"]), Path(tempfile.mkdtemp()) / "net.safetensors")
    0.0

    Raises `SigconvError` where the packages that a form needs are missing, and where the difference is above 1e-4: then nothing
    is written.
    """
    suffix = Path(os.fspath(path)).suffix.lower()
    form = form or next((name for name, ending in FORMS.items() if ending == suffix), "")
    if form not in FORMS:
        raise UsageError(f"{printable(path, 200)}: wanted a form, {', '.join(FORMS)}, or a name that ends in "
                         f"{', '.join(FORMS.values())}")
    net = net.to("cpu").eval()
    g = torch.Generator().manual_seed(0)
    x = torch.randn(2, net.window, generator=g) * 0.1
    with torch.no_grad():
        wanted = net(x).numpy()
    data, got = {"safetensors": _safetensors, "export": _exported, "onnx": _onnx}[form](net, x)
    gap = float(np.abs(got - wanted).max() / max(np.abs(wanted).max(), 1e-12))
    if not gap <= BOUND:
        raise SigconvError(f"{form}: its answers differ from the net's by {gap:.2g} of the largest; wanted at most {BOUND:g}; "
                           f"nothing was written")
    with Outputs(overwrite) as out:
        out.open(path).write(data)
    return gap


def _safetensors(net: Net, x: torch.Tensor) -> tuple[bytes, np.ndarray]:
    from safetensors.torch import load as unpack

    data = packed(net.config, net.state_dict(), {})
    twin = type(net)(net.config).eval()
    twin.load_state_dict(unpack(data))
    with torch.no_grad():
        return data, twin(x).numpy()


def _exported(net: Net, x: torch.Tensor) -> tuple[bytes, np.ndarray]:
    with torch.no_grad():
        program = torch.export.export(net, (x,), dynamic_shapes={"x": {0: torch.export.Dim("clips", min=1, max=65536)}})
        buffer = io.BytesIO()
        torch.export.save(program, buffer)
        buffer.seek(0)
        return buffer.getvalue(), torch.export.load(buffer).module()(x).numpy()


def _onnx(net: Net, x: torch.Tensor) -> tuple[bytes, np.ndarray]:
    try:
        import onnx
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as why:
        raise SigconvError(f"ONNX: {why.name} is not installed; wanted pip install 'sigconv[onnx]'") from None
    import warnings

    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        program: Any = torch.onnx.export(net, (x,), input_names=["samples"], output_names=["logits"], dynamo=True, verbose=False,
                                         dynamic_shapes={"x": {0: torch.export.Dim("clips", min=1, max=65536)}})
    model = program.model_proto
    for key, value in (("labels", json.dumps(net.labels, ensure_ascii=False)), ("rate", str(net.rate)),
                       ("window", str(net.window))):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    data = model.SerializeToString()
    onnx.checker.check_model(model)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return data, session.run(None, {"samples": x.numpy()})[0]
