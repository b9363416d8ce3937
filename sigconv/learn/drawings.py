"""A run in two pictures: how it went, and what is taken for what."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .evaluating import Report

__all__ = ["confusion_picture", "curves_picture"]


def _png(figure: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=120)
    return out.getvalue()


def curves_picture(history: list[dict[str, Any]]) -> bytes:
    """Loss, accuracy and learning rate over the epochs, as PNG."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(8, 5), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    epochs = [line["epoch"] for line in history]
    above.plot(epochs, [line["loss"] for line in history], label="training loss")
    if any("valid_nll" in line for line in history):
        above.plot(epochs, [line.get("valid_nll", np.nan) for line in history], label="validation NLL")
        below.plot(epochs, [100 * line.get("valid", np.nan) for line in history], label="validation accuracy", color="C1")
        below.set_ylabel("%")
    above.set_ylabel("nats")
    above.legend()
    rate = below.twinx()
    rate.plot(epochs, [line["lr"] for line in history], color="0.7", label="learning rate")
    rate.set_ylabel("learning rate")
    below.set_xlabel("epoch")
    below.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _png(figure)


def confusion_picture(report: Report) -> bytes:
    """Rows the true labels, columns what was said, as PNG."""
    from matplotlib.figure import Figure

    n = len(report.labels)
    size = min(max(3.5, 0.4 * n + 1.5), 16)
    figure = Figure(figsize=(size + 0.5, size), layout="constrained")
    axes = figure.subplots()
    share = report.confusion / np.maximum(report.confusion.sum(1, keepdims=True), 1)
    axes.imshow(share, vmin=0, vmax=1, cmap="magma_r")
    axes.set_xticks(range(n), report.labels, rotation=90 if max(map(len, report.labels)) > 2 else 0)
    axes.set_yticks(range(n), report.labels)
    axes.set_xlabel("said")
    axes.set_ylabel("true")
    if n <= 20:
        for i, row in enumerate(report.confusion):
            for j, count in enumerate(row):
                if count:
                    axes.text(j, i, str(count), ha="center", va="center", color="w" if share[i, j] > 0.5 else "k", fontsize=8)
    axes.set_title(f"{100 * report.accuracy:.1f} % of {report.count}")
    return _png(figure)
