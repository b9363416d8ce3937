"""What the verbs share: options, talk, inputs, and going on past a bad file."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

__all__ = ["Talk", "array_options", "chain_options", "complete", "each", "emit", "files", "kernel_for", "kernel_option", "loaded",
           "nowhere", "one_thread", "talk_options"]


class Talk:
    """What is said, and where: results to stdout, talk to stderr, as much as asked for."""

    def __init__(self, quiet: bool, verbose: bool, json: bool):
        import warnings

        self.quiet, self.verbose, self.json, self.warned = quiet, verbose, json, set[str]()
        warnings.simplefilter("ignore")
        from sigconv.errors import SigconvWarning

        warnings.simplefilter("always", SigconvWarning)
        warnings.showwarning = self._warn  # type: ignore[assignment]

    def result(self, text: str, data: dict[str, Any], *, err: bool = False) -> None:
        """A result: words, or with --json one object a line."""
        if self.json:
            click.echo(to_json(data), err=err)
        elif not self.quiet:
            click.echo(text, err=err)

    def say(self, text: str) -> None:
        """A remark, for people only."""
        from sigconv.errors import printable

        if not self.quiet:
            click.echo(printable(text), err=True)

    def more(self, text: str) -> None:
        """A remark for those who asked for more."""
        if self.verbose:
            self.say(text)

    def error(self, text: str) -> None:
        from sigconv.errors import printable

        click.echo(f"sigconv: {printable(text, 490)}", err=True)

    def _warn(self, message: Warning | str, *_: Any, **__: Any) -> None:
        if str(message) not in self.warned:  # a file is looked at before it is read
            self.warned.add(str(message))
            self.say(f"note: {message}")


def one_thread() -> None:
    """Nets as small as ours lose more by waiting for each other's threads than they win."""
    import torch

    torch.set_num_threads(1)


def to_json(data: Any) -> str:
    """One line of JSON: numbers that JSON lacks (−inf for silence) are null, undecodable names escaped."""
    import json
    import math

    def plain(value: Any) -> Any:
        if isinstance(value, float):
            return value if math.isfinite(value) else None
        if isinstance(value, dict):
            return {str(k): plain(v) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [plain(v) for v in value]
        if value is None or isinstance(value, (bool, int, str)):
            return value
        if hasattr(value, "item"):
            return plain(value.item()) if getattr(value, "ndim", 0) == 0 else plain(value.tolist())
        return str(value)

    return json.dumps(plain(data), ensure_ascii=True, allow_nan=False)


def talk_options(verb: Callable) -> Callable:
    """-q, -v, --json, --debug, given to the verb as `talk`."""
    from functools import update_wrapper

    def wrapped(*args: Any, quiet: bool, verbose: bool, json: bool, debug: bool, **kwargs: Any) -> Any:
        return verb(*args, talk=Talk(quiet, verbose, json), **kwargs)

    update_wrapper(wrapped, verb)
    for option in (click.option("--debug", is_flag=True, help="Show a traceback where an error comes from."),
                   click.option("--json", is_flag=True, help="One JSON object a line."),
                   click.option("-v", "--verbose", is_flag=True, help="Say more."),
                   click.option("-q", "--quiet", is_flag=True, help="Say errors only.")):
        wrapped = option(wrapped)
    return wrapped


def array_options(verb: Callable) -> Callable:
    """What a bare array does not say of itself: --rate, --channels."""
    for option in (
            click.option("--channels", metavar="AXIS", help="An axis of a bare array that holds channels: z, y, x, 0, -1."),
            click.option("--rate", type=click.FloatRange(0, min_open=True), metavar="HZ",
                         help="Time along the last axis of a bare array, at this rate; sound is resampled to it.")):
        verb = option(verb)
    return verb


def loaded(path: str, rate: float | None = None, channels: str | None = None) -> Any:
    """The Signal in a file, an axis of it as channels where one is named."""
    from sigconv import Signal, io

    x = io.load(path, rate)
    if channels is None:
        return x
    from sigconv.errors import UsageError

    known = [*x.domain.name, *map(str, range(x.domain.ndim)), *map(str, range(-x.domain.ndim, 0))]
    if x.domain.ndim < 2 or channels not in known:
        raise UsageError(f"--channels {channels!r} of a file on ({', '.join(x.domain.name)}): wanted "
                         + ("an axis of at least two" if x.domain.ndim < 2 else f"one of {', '.join(x.domain.name)}"))
    if x.value not in ((), (1,)):
        raise UsageError(f"--channels {channels!r} of a file that has {x.value[-1]} channels already: wanted one that has one")
    y = x.lower(axis=known.index(channels) % x.domain.ndim)
    return Signal(y.data[0], y.domain) if x.value else y


def nowhere(spec: str, rate: float = 44100, dims: int | None = None) -> Any:
    """A domain for a kernel that comes without a signal: of as many axes as typed taps have brackets."""
    import sigconv

    dense = spec.replace(" ", "")
    ndim = dims or max(1, len(dense) - len(dense.lstrip("[")))
    return sigconv.line(1, rate) if ndim == 1 else sigconv.grid(*(1,) * ndim)


def kernel_for(spec: str, dry: Any, resample: bool, talk: Talk, on: str = "signal") -> Any:
    """The kernel for a file or for its spectrogram, at the file's rate if asked to bring it there."""
    import sigconv
    from sigconv.errors import UsageError

    if on == "spectrogram":
        if dry.domain.unit != ("s",):
            raise UsageError(f"--on spectrogram for a file in {' × '.join(dry.domain.unit)}: only a sound has one; wanted a "
                             "sound, or the kernel on the file itself")
        return _on_spectrogram(spec, dry)
    k = sigconv.kernel(spec, dry.domain)
    if len(k.value) == 2 and dry.value[-1:] != k.value[1:]:
        have = dry.value[-1] if dry.value else 1
        raise UsageError(f"kernel {spec!r} is for {k.value[1]} channels, the file has {have}: wanted such a file"
                                        + ", in stereo" * (k.value[1] == 2))
    if k.domain.ndim == dry.domain.ndim == 1 and k.domain.step != dry.domain.step:
        if not resample:
            raise sigconv.SigconvError(f"kernel {spec!r} at {k.rate} Hz, the file at {dry.rate} Hz: wanted one rate; --resample "
                                       "brings the kernel to the file's")
        talk.say(f"note: kernel {spec!r} resampled from {k.rate} to {dry.rate} Hz")
        k = sigconv.resample(k, dry.rate, as_kernel=True)
    return k


def _on_spectrogram(spec: str, dry: Any) -> Any:
    """A kernel of two axes, on the grid of the file's spectrogram."""
    import sigconv
    from sigconv.errors import UsageError

    try:
        return sigconv.kernel(spec, sigconv.spectrum.plane(dry.domain))
    except UsageError as why:
        told = str(why).replace("a signal of 2", "a spectrogram, of 2 (frequency, time)")
        raise UsageError(told.replace("wanted as many as the signal has", "wanted such taps, or a name such as blur")) from None


def chain_options(verb: Callable) -> Callable:
    """What may stand beside a kernel: --on, --wet, --then, --mix, and for pictures --scan, --along."""
    for option in (
            click.option("--along", metavar="AXIS",
                         help="The axis that a scan follows: z, y, x, time. Under rows the slow one (default: the first), under "
                              "spectrum that of an image which is time (default: the last)."),
            click.option("--scan", type=click.Choice(["rows", "spectrum"]),
                         help="How a picture is heard: rows keeps all of it, colours as channels, so that the WAV loads back; "
                              "spectrum plays x as time, y as pitch.  [default: rows, colours averaged]"),
            click.option("--mix", metavar="M", help="What is done to the channels at the end: midside, mono, swap, width:1.5, "
                                                    "[[1,0],[0,-1]], …"),
            click.option("--then", type=click.Choice(["relu", "abs"]), help="A nonlinearity after the kernel."),
            click.option("--wet", type=click.FloatRange(0, 1), default=1.0, metavar="SHARE",
                         help="How much of the result, the rest being the file itself, in step.  [default: 1]"),
            click.option("--on", type=click.Choice(["signal", "spectrogram"]), default="signal", show_default=True,
                         help="What the kernel acts on; a sound's spectrogram has two axes, Hz and s.")):
        verb = option(verb)
    return verb


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
    """Names of kernels, and files, for the shell."""
    from click.shell_completion import CompletionItem

    from sigconv.kernels import BANKS, FAMILIES

    named = [CompletionItem(name, help=f.summary) for name, f in (BANKS | FAMILIES).items() if name.startswith(incomplete)]
    return named or [CompletionItem(incomplete, type="file")]


kernel_option = click.option("-k", "--kernel", "kernels", multiple=True, metavar="K", shell_complete=complete,
                             help="A name (edge, lowpass:cutoff=800, note:A4), taps (-1,0,1), a file (room.wav, taps.npy), "
                                  "a piece of a recording (a.ogg@0.2-0.35), or several in a row (\"blur*edge\").")


def files(names: Iterable[str]) -> list[str]:
    """The files that arguments name: folders give the sounds, images and arrays in them, patterns what they match."""
    from glob import glob, has_magic

    found: list[str] = []
    names = list(names)
    for name in names:
        path = Path(name)
        if name != "-" and path.is_dir():
            from sigconv.errors import SigconvError
            from sigconv.specs import SUFFIXES

            inside = sorted(str(p) for p in path.iterdir() if p.is_file() and p.suffix.lower() in SUFFIXES
                            and p.suffix.lower() not in (".json", ".csv") and not p.name.startswith("."))
            if not inside and len(names) == 1:
                raise SigconvError(f"{name}: a folder without sounds, images or arrays; wanted some in it")
            found += inside or [name]  # an empty folder among others fails like any bad file
        elif name != "-" and not path.exists() and has_magic(name) and (matches := sorted(glob(name))):  # noqa: PTH207 (patterns may be absolute)
            found += matches
        else:
            found.append(name)
    return found


def each(items: list[str], work: Callable[[str], None], talk: Talk) -> int:
    """`work` on every item, going on past those that fail; the exit code, and at the end a line that counts them."""
    from sigconv.errors import SigconvError, UsageError

    from .main import explain

    if len(items) == 1:
        work(items[0])
        return 0
    failed, usage, last = 0, 0, ""
    for item in progress(items, talk):
        try:
            work(item)
        except (SigconvError, OSError, MemoryError) as error:
            message = explain(error)[0]
            if message != last:
                talk.error(message if item in message else f"{item}: {message}")
            failed, usage, last = failed + 1, usage + isinstance(error, UsageError), message
    if failed:
        talk.error(f"{failed} of {len(items)} files failed")
    return 3 if 0 < failed < len(items) else 2 if usage and usage == failed else int(failed > 0)


def progress(items: list[str], talk: Talk) -> Iterator[str]:
    """The items, with a bar on a terminal."""
    if talk.quiet or talk.json or not sys.stderr.isatty() or len(items) < 3:
        yield from items
        return
    from rich.console import Console
    from rich.progress import track

    yield from track(items, description="", console=Console(stderr=True), transient=True)


def emit(talk: Talk, rows: list[tuple[str, str]], data: dict[str, Any], *, err: bool = False) -> None:
    """Rows of a label and a text, the labels in one column; control bytes of a file's name escaped."""
    from sigconv.errors import printable

    wide = max(len(label) for label, _ in rows)
    talk.result("\n".join(f"{label:<{wide}}  {printable(text, 2**16)}" for label, text in rows), data, err=err)
