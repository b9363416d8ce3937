"""`sigconv tune`: how fast this machine is at each way to convolve."""

from __future__ import annotations

import click

from .common import Talk, talk_options


@click.command()
@click.option("--dry-run", is_flag=True, help="Measure, but keep nothing.")
@click.option("--forget", is_flag=True, help="Go back to the figures that come along.")
@talk_options
def tune(talk: Talk, dry_run: bool, forget: bool) -> None:
    """Time this machine for some seconds, so that convolve chooses what is fastest on it.

    What is found is kept in a file of the user's cache ($SIGCONV_SPEEDS says where), for this processor and this NumPy. It
    changes which method is chosen, and so the last bits of results, nothing else.
    """
    from sigconv.engines import speeds, tuning
    from sigconv.errors import SigconvError, UsageError

    if dry_run and forget:
        raise UsageError("--dry-run with --forget: wanted one of the two")
    if forget:
        speeds.forget()
        talk.result("forgotten: convolve goes by the figures that come along", {"factors": {}, "kept": None})
        return
    factors = tuning.tune(talk.more)
    kept = None
    if not dry_run:
        try:
            kept = speeds.keep(factors)
        except (OSError, RuntimeError) as why:
            reason = getattr(why, "strerror", None) or why
            raise SigconvError(f"{speeds.place()}: {reason}; wanted a file that can be written: SIGCONV_SPEEDS=PATH") from None
    text = "  ".join(f"{name} {value:.2f}" for name, value in factors.items())
    talk.result(f"times as long as expected: {text}\n{f'kept in {kept}' if kept else 'not kept'}",
                {"factors": factors, "kept": kept and str(kept)})
