"""`sigconv`: a group whose verbs are imported when they are called, and the one place where errors become exit codes.

0 ok, 1 failed, 2 usage, 3 some of several files failed, 130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Any, NoReturn

import click

# Work on one file is transforms and short sums: NumPy's BLAS threads would cost more, waiting, than they bring.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Files of any length keep to a stated memory, of which numba would take more than all the rest.
os.environ.setdefault("SIGCONV_NUMBA", "0")

VERBS = {
    "listen": "Filter sounds, images or volumes; hear and see what changed.",
    "apply": "Filter many files as they are: true samples, any length.",
    "look": "Draw a file, a kernel, or what a kernel does to a file.",
    "bank": "Take a sound apart by a bank of filters, hear each, put it together again.",
    "match": "Find notes, motifs or patches in a file; when, how surely.",
    "lesson": "Make a page to learn from, of a sound.",
    "kernels": "List the kernels, or tell about one.",
    "describe": "Say what a kernel does, from its taps alone.",
    "info": "Say what is in a file.",
    "train": "Train a small net on a folder of recordings.",
    "test": "Judge a trained net by other recordings.",
    "classify": "Say what recordings hold, by a trained net.",
    "export": "Write a trained net for other programs.",
    "tune": "Time this machine, so that convolve chooses what is fastest on it.",
}

EXAMPLES = """\b
Examples:
  sigconv listen --kernel edge                      a sample that comes along
  sigconv listen --kernel lowpass:cutoff=800 voice.wav
  sigconv listen --kernel hall.wav --kernel echo:delay=0.3 song.flac -o out/
  sigconv look --kernel "blur*edge" photo.png
  sigconv describe -1,0,1"""


class Interrupted(BaseException):
    """Ctrl-C, past click, which would print a line of its own."""


class Verbs(click.Group):
    """A group that knows its verbs by name and opens the module of the one that is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        return getattr(import_module(f"{__package__}.{cmd_name}"), cmd_name)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        if args and args[0] not in VERBS:
            from sigconv.errors import hint

            raise click.UsageError(f"no verb '{args[0]}': wanted {', '.join(VERBS)}{hint(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(cls=Verbs, invoke_without_command=True, epilog=EXAMPLES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, help="Print the version.")
@click.pass_context
def sigconv(ctx: click.Context, version: bool) -> None:
    """Hear and see what a convolution does to sound, images and volumes."""
    if version:
        from sigconv import __version__

        click.echo(f"sigconv {__version__}")
    elif ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> NoReturn:
    """Run the command line and exit; every error is one line on stderr."""
    import signal

    def interrupt(*_: Any) -> NoReturn:
        raise Interrupted

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    before = signal.signal(signal.SIGINT, interrupt)
    try:
        code = sigconv.main(standalone_mode=False, prog_name="sigconv")
        sys.stdout.flush()
    except (Interrupted, click.exceptions.Abort):
        code = _say("interrupted", 130)
    except BrokenPipeError:  # whoever read us has left
        _close_stdout()
        code = 1
    except Exception as error:
        if "--debug" in sys.argv:
            raise
        code = _say(*explain(error))
    finally:
        signal.signal(signal.SIGINT, before)
    sys.exit(code if isinstance(code, int) else 0)


def explain(error: BaseException) -> tuple[str, int]:
    """One line for an error, and its exit code."""
    from sigconv.errors import SigconvError

    if isinstance(error, click.ClickException):
        where = getattr(getattr(error, "ctx", None), "command_path", "sigconv")
        return f"{error.format_message()} (see {where} --help)", 2
    if isinstance(error, SigconvError):
        return str(error), error.exit_code
    if isinstance(error, MemoryError):
        return "not enough memory: give shorter files or a kernel with fewer taps", 1
    if isinstance(error, OSError):
        return f"{error.strerror or error}" + (f": {error.filename}" if error.filename else ""), 1
    return f"{type(error).__name__}: {error} (a bug: please report it; --debug shows where)", 1


def _say(message: str, code: int) -> int:
    from sigconv.errors import printable

    click.echo(f"sigconv: {printable(message, 490)}", err=True)
    return code


def _close_stdout() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
