"""`sigconv look`: pictures of files and kernels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from .common import Talk, array_options, each, emit, files, kernel_for, kernel_option, loaded, nowhere, talk_options
from .together import domains, together_option, wanted


@click.command()
@kernel_option
@click.option("-b", "--bank", metavar="BANK", help="A bank in words (gammatone:32, sinc:40, stft:400, cqt): its responses and "
              "their sum; with a FILE what it makes of that.")
@click.option("-o", "--output", metavar="PATH", help="The picture to write (.png, .svg, .pdf).  [default: ./STEM.look.png]")
@click.option("--on", type=click.Choice(["signal", "spectrogram"]), default="signal", show_default=True,
              help="What the kernel acts on; a sound's spectrogram has two axes, Hz and s.")
@together_option
@click.option("--size", nargs=2, type=click.IntRange(100, 10000), metavar="W H", help="Size in pixels.")
@array_options
@click.option("--resample", is_flag=True, help="Bring kernels at another rate to the file's.")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@talk_options
@click.argument("names", metavar="[FILE]...", nargs=-1)
@click.pass_context
def look(ctx: click.Context, names: tuple[str, ...], kernels: tuple[str, ...], output: str | None, on: str, together: bool | None,
         size: tuple[int, int] | None, bank: str | None, force: bool, talk: Talk, **reading: Any) -> None:
    """Draw a file, a kernel (taps and response), or what a kernel does to a file (before, after, difference).

    A kernel and files of different kinds are drawn together, a row for each kind of file (--apart: a picture for each file). A
    file that holds taps is drawn as a kernel.
    """
    from sigconv.errors import UsageError

    if not names and not kernels and not bank:
        raise UsageError("nothing to look at: wanted a FILE, --kernel K, or both")
    if bank and kernels:
        raise UsageError("--bank and --kernel: wanted one of the two")
    paths = files(names)
    some = tuple(wanted(paths, together)) if kernels else ()
    seen: list[Any] = [some] if some else list(paths) or [None]
    jobs: list[tuple[Any, str | None]] = [(path, kernel) for path in seen for kernel in (kernels or (bank,))]
    if output and len(jobs) > 1:
        raise UsageError(f"-o {output} for {len(jobs)} pictures: wanted one file and one kernel, or no -o")
    labels = [" through ".join(filter(None, (", ".join(path) if some else path, kernel))) for path, kernel in jobs]

    def draw(label: str) -> None:
        path, kernel = jobs[labels.index(label)]
        if bank:
            ax, said = _bank(path, bank, talk, **reading)
        else:
            ax, said = _across(path, str(kernel), talk, **reading) if some else _draw(path, kernel, on, talk, **reading)
        if size:
            ax.figure.set_size_inches(size[0] / ax.figure.dpi, size[1] / ax.figure.dpi)
        where = _save(ax.figure, path, kernel, output, force)
        emit(talk, [("shows", said), ("written", str(where) if where.is_absolute() else f"./{where}")],
             {"file": path, "kernel": kernel, "shows": said, "picture": str(where)})

    ctx.exit(each(labels, draw, talk))


def _draw(path: str | None, spec: str | None, on: str, talk: Talk, *, rate: float | None, channels: str | None,
          resample: bool) -> tuple[Any, str]:
    """The first Axes of a picture, and what it shows."""
    import sigconv
    from sigconv import see

    x = None if path is None else loaded(path, rate, channels)
    if spec is None:
        assert x is not None
        if on == "spectrogram":
            return _map(x)
        return _kernel(x) if _is_kernel(x) else see.signal(x), repr(x).strip("<>")
    if x is None:
        line = sigconv.Signal([[0.0]], sigconv.line(1, rate or 44100))
        k = kernel_for(spec, line, resample, talk, on) if on == "spectrogram" else sigconv.kernel(spec, nowhere(spec))
        return _kernel(k), sigconv.study.describe(k, spec)
    k = kernel_for(spec, x, resample, talk, on)
    return see.compare(*_passed(x, k, on)), sigconv.study.describe(k, spec)


def _bank(path: str | None, spec: str, talk: Talk, *, rate: float | None, channels: str | None,
          resample: bool) -> tuple[Any, str]:
    """A bank's filters, or what it makes of a sound, and what is shown."""
    import sigconv
    from sigconv import see
    from sigconv.errors import UsageError

    from .bank import filters_of, hop

    x = sigconv.Signal([[0.0]], sigconv.line(1, rate or 44100)) if path is None else loaded(path, rate, channels)
    if x.domain.ndim != 1:
        raise UsageError(f"--bank for a file of {x.domain.ndim} axes: wanted a sound")
    k = filters_of(spec, x, resample, talk)
    found = see.bank_numbers(k)
    said = f"{spec}, {len(found.centre)} filters at {x.rate:g} Hz"
    if path is None:
        return see.bank(k), said
    lone = isinstance(k, sigconv.Signal)
    y = sigconv.convolve(x, k, stride=hop(spec, found, x)) if lone else [sigconv.convolve(x, one, stride=s) for one, s in k]
    return see.scalogram(y, k), f"{said}, levels over time"


def _map(x: Any) -> tuple[Any, str]:
    """A sound's spectrogram, and what it is."""
    import sigconv
    from sigconv import see
    from sigconv.errors import UsageError
    from sigconv.spectrum import plane

    if x.domain.unit != ("s",):
        raise UsageError(f"--on spectrogram for a file in {' × '.join(x.domain.unit)}: only a sound has one; wanted a sound")
    grid = plane(x.domain)
    window, hop = 1 / (grid.step[0] * x.domain.step[0]), grid.step[1] / x.domain.step[0]
    S = sigconv.spectrogram(x, window=int(window), hop=int(hop))
    return see.image(S), repr(S).strip("<>")


def _across(paths: tuple[str, ...], spec: str, talk: Talk, **reading: Any) -> tuple[Any, str]:
    """Before and after in each domain, and what is shown; where the kernel has no meaning, a remark."""
    from sigconv import see
    from sigconv.errors import SigconvError

    rows, why = [], ""
    for case in domains(paths, spec, talk, **reading):
        try:
            if case.kernel is None:
                raise SigconvError(case.refused)
            rows.append((case.name, *_passed(case.x, case.kernel, case.on)))
        except SigconvError as error:
            why = str(error)
            talk.say(f"note: {case.name.lower()} {case.path}: refused: {why}")
    if not rows:
        raise SigconvError(why or f"{spec} on {', '.join(paths)}: nothing to draw")
    return see.across(rows), f"{spec} through {', '.join(name.lower() for name, _, _ in rows)}, before and after"


def _passed(x: Any, k: Any, on: str) -> tuple[Any, Any]:
    """Before and after: the signal, or its spectrogram."""
    import sigconv

    if on == "spectrogram":
        from sigconv.spectrum import spectrally

        return spectrally(x, k)[1:]
    y = sigconv.convolve(x, k)
    from sigconv.pictures import picture

    return x, picture(y, k)[0] if y.domain.ndim > 1 and k.value else y


def _is_kernel(x: Any) -> bool:
    """Whether a file holds taps rather than a signal: on a line, a filter or a layer, or too short for a spectrogram."""
    return x.domain.ndim == 1 and (len(x.value) != 1 or (x.domain.unit == ("s",) and x.domain.shape[0] < x.domain.rate / 20))


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


def _save(figure: Any, path: Any, spec: str | None, output: str | None, force: bool) -> Path:
    from sigconv import io
    from sigconv.specs import slug

    from .places import LONGEST, cut

    inputs = list(path) if isinstance(path, tuple) else [path] if path and path != "-" else []
    name = "across" if isinstance(path, tuple) else "stdin" if path == "-" else Path(path).stem if path else None
    parts = [slug(spec), "look"] if spec else ["look"]
    stem = ".".join([cut(name, LONGEST - len(os.fsencode("..".join(parts)))), *parts] if name else parts)
    where = Path(output) if output else Path(io.next_free(".", stem, (".png",)) + ".png")
    known = figure.canvas.get_supported_filetypes()
    if where.suffix and where.suffix.lstrip(".").lower() not in known:
        from sigconv.errors import UsageError

        raise UsageError(f"output {where}: suffix '{where.suffix}'; wanted one of {', '.join(f'.{kind}' for kind in known)}")
    with io.Outputs(overwrite=force, inputs=inputs) as out:
        figure.savefig(out.open(where), format=where.suffix.lstrip(".") or "png", metadata={} if where.suffix == ".png" else None)
    return where
