"""`sigconv look`: pictures of files and kernels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from .common import Talk, each, emit, files, kernel_for, kernel_option, nowhere, talk_options


@click.command()
@kernel_option
@click.option("-o", "--output", metavar="PATH", help="The picture to write (.png, .svg, .pdf).  [default: ./STEM.look.png]")
@click.option("--size", nargs=2, type=click.IntRange(100, 10000), metavar="W H", help="Size in pixels.")
@click.option("--resample", is_flag=True, help="Bring kernels at another rate to the file's.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@talk_options
@click.argument("names", metavar="[FILE]...", nargs=-1)
@click.pass_context
def look(ctx: click.Context, names: tuple[str, ...], kernels: tuple[str, ...], output: str | None, size: tuple[int, int] | None,
         resample: bool, force: bool, talk: Talk) -> None:
    """Draw a file, a kernel (taps and response), or what a kernel does to a file (before, after, difference)."""
    from sigconv.errors import UsageError

    if not names and not kernels:
        raise UsageError("nothing to look at: wanted a FILE, --kernel K, or both")
    paths: list[str | None] = [*files(names)] or [None]
    jobs = [(path, kernel) for path in paths for kernel in (kernels or (None,))]
    if output and len(jobs) > 1:
        raise UsageError(f"-o {output} for {len(jobs)} pictures: wanted one file and one kernel, or no -o")
    labels = [" through ".join(filter(None, job)) for job in jobs]

    def draw(label: str) -> None:
        path, kernel = jobs[labels.index(label)]
        figure, said = _draw(path, kernel, size, resample, talk)
        where = _save(figure, path, kernel, output, force)
        emit(talk, [("shows", said), ("written", str(where) if where.is_absolute() else f"./{where}")],
             {"file": path, "kernel": kernel, "shows": said, "picture": str(where)})

    ctx.exit(each(labels, draw, talk))


def _draw(path: str | None, spec: str | None, size: tuple[int, int] | None, resample: bool, talk: Talk) -> tuple[Any, str]:
    """A figure, and what it shows."""
    import sigconv
    from sigconv import see

    x = None if path is None else sigconv.load(path)
    if spec is None:
        assert x is not None
        ax = (see.signal, see.image, see.volume)[x.domain.ndim - 1](x)
        said = repr(x).strip("<>")
    else:
        k = sigconv.kernel(spec, nowhere(spec)) if x is None else kernel_for(spec, x, resample, talk)
        said = sigconv.study.describe(k, spec)
        if x is None:
            ax = _kernel(k)
        else:
            ax = see.compare(x, _shown(sigconv.convolve(x, k), k))
    figure = ax.figure
    if size:
        figure.set_size_inches(size[0] / figure.dpi, size[1] / figure.dpi)
    return figure, said


def _kernel(k: Any) -> Any:
    """Taps above, response below."""
    from matplotlib.figure import Figure

    from sigconv import see

    if k.domain.ndim > 2:
        return see.taps(k)
    figure = Figure(figsize=(9, 9) if k.domain.ndim == 1 else (11, 5), layout="constrained")
    top, bottom = figure.subplots(2, 1, height_ratios=[1, 2]) if k.domain.ndim == 1 else figure.subplots(1, 2)
    see.taps(k, ax=top)
    see.response(k, ax=bottom)
    return figure.axes[0]


def _shown(y: Any, k: Any) -> Any:
    """A result that compares with what it came from: a bank's on images as one picture, anything else as it is."""
    from sigconv.pictures import picture

    return picture(y, k)[0] if y.domain.ndim > 1 and k.value else y


def _save(figure: Any, path: str | None, spec: str | None, output: str | None, force: bool) -> Path:
    from sigconv import io
    from sigconv.specs import slug

    from .places import LONGEST, cut

    name = "stdin" if path == "-" else Path(path).stem if path else None
    parts = [slug(spec), "look"] if spec else ["look"]
    stem = ".".join([cut(name, LONGEST - len(os.fsencode("..".join(parts)))), *parts] if name else parts)
    where = Path(output) if output else Path(io.next_free(".", stem, (".png",)) + ".png")
    known = figure.canvas.get_supported_filetypes()
    if where.suffix and where.suffix.lstrip(".").lower() not in known:
        from sigconv.errors import UsageError

        raise UsageError(f"output {where}: suffix '{where.suffix}'; wanted one of {', '.join(f'.{kind}' for kind in known)}")
    with io.Outputs(overwrite=force, inputs=[path] if path and path != "-" else []) as out:
        figure.savefig(out.open(where), format=where.suffix.lstrip(".") or "png", metadata={} if where.suffix == ".png" else None)
    return where
