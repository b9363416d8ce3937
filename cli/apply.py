"""`sigconv apply`: many files through a kernel, as they are."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .common import Talk, each, kernel_for, kernel_option, talk_options

if TYPE_CHECKING:
    from sigconv.applying import Job

OPTIONS = ("mode", "padding_mode", "subtype", "resample")  # what decides the result, beside file and kernel


@click.command()
@kernel_option
@click.option("-o", "--output", metavar="FOLDER", default=".", help="Where results go.  [default: here]")
@click.option("-j", "--jobs", type=click.IntRange(1, 512), default=1, show_default=True, metavar="N",
              help="Files at a time, each by a process.")
@click.option("--backend", type=click.Choice(["dask", "ray"]), help="Let a cluster do the work, with files and kernels on a "
              "file system that it shares.")
@click.option("--scheduler", metavar="ADDRESS", help="Where the cluster is, e.g. tcp://HOST:8786.  [default: one begun "
              "here, of -j processes]")
@click.option("--shard", metavar="I/N", help="Do the I-th of N parts of the files: for several machines on one folder.")
@click.option("--mode", type=click.Choice(["same", "full"]), default="same", show_default=True,
              help="same: as long as the file; full: with the kernel's tail.")
@click.option("--padding-mode", type=click.Choice(["zeros", "reflect", "symmetric", "replicate", "circular"]), default="zeros",
              show_default=True, help="What lies beyond the ends.")
@click.option("--resample", is_flag=True, help="Bring kernels at another rate to the file's.")
@click.option("--subtype", metavar="TYPE", help="Sample format of the sound, e.g. PCM_16, PCM_24.  [default: FLOAT]")
@click.option("--force", is_flag=True, help="Do again what is done, and write over files that are there.")
@talk_options
@click.argument("names", metavar="FILE...", nargs=-1, required=True)
@click.pass_context
def apply(ctx: click.Context, names: tuple[str, ...], kernels: tuple[str, ...], output: str, jobs: int, shard: str | None,
          force: bool, talk: Talk, backend: str | None, scheduler: str | None, **options: Any) -> None:
    """Filter files as they are: true samples, nothing matched or guarded, any length in little memory.

    FILE: files, folders (all below them; results keep the sub-folders), patterns. Writes STEM.KERNEL.wav for sounds, .npz for
    anything else, and sigconv-apply.jsonl, a line for each file that is done: a second run skips these, unless file or
    kernel changed, and goes on after an interruption.
    """
    from sigconv.errors import UsageError

    if not kernels:
        raise UsageError("no kernel: wanted --kernel K, e.g. --kernel edge; 'sigconv kernels' lists them")
    if options["mode"] == "full" and options["padding_mode"] != "zeros":
        raise UsageError(f"--padding-mode {options['padding_mode']} with --mode full: only 'same' looks beyond the ends; wanted "
                         "one of the two")
    if scheduler and not backend:
        raise UsageError("--scheduler without --backend: wanted --backend dask, or ray, too")
    KERNELS.clear()
    work = planned(names, kernels, output, shard, force, options, talk)
    counts, said = {True: 0, False: 0}, set[str]()
    bar = len(work) > 2 and sys.stderr.isatty() and sys.stdout.isatty() and not talk.verbose  # it would be torn by a line a file
    new = _missing(output, work)
    results = outcomes(work, min(jobs, len(work) or 1), backend, scheduler)

    def tell(path: str) -> None:
        entry = _raised(next(results), talk, said)
        counts[entry["skipped"]] += 1
        shown = str(Path(output, entry["output"]))
        if entry["skipped"]:
            talk.more(f"{path}: done before, {shown}")
        if talk.json or not (entry["skipped"] or bar):
            talk.result(_line(path, shown), {"file": path, **entry})

    try:
        code = each([job.path for job in work], tell, talk)
    finally:
        results.close()
        for folder in new:  # where nothing came of them
            with suppress(OSError):
                folder.rmdir()
    if counts[True] or bar:
        talk.say(f"{counts[False]} written" + f", {counts[True]} done before" * (counts[True] > 0))
    ctx.exit(code)


def _line(path: str, shown: str) -> str:
    from sigconv.errors import printable

    return f"{printable(path)}  →  {printable(shown)}"


def planned(names: tuple[str, ...], specs: tuple[str, ...], output: str, shard: str | None, force: bool, options: dict[str, Any],
            talk: Talk) -> list[Job]:
    """The jobs of this run."""
    from sigconv.applying import Job, Record
    from sigconv.errors import SigconvError, UsageError
    from sigconv.specs import slug

    from .gather import gathered, mine, shard_of, targets

    part = shard_of(shard) if shard else (1, 1)
    if "-" in names:
        raise UsageError("-: apply takes files; for pipes: sigconv listen --match none --no-guard -o - -")
    if Path(output).exists() and not Path(output).is_dir():
        raise SigconvError(f"{output}: a file; wanted a folder for the results")
    record = Record(output, f"sigconv-apply.{part[0]}-of-{part[1]}.jsonl" if shard else "sigconv-apply.jsonl")
    made = record.outputs()
    every = gathered(names)
    found = [one for one in every if os.path.realpath(one.path) not in made]
    if not found:
        raise UsageError("nothing but results of former runs: wanted other files, or another folder (-o)" if every
                         else f"no sounds, images or arrays in {', '.join(names)}: wanted some")
    if passed := len(every) - len(found):
        talk.say(f"note: {passed} result{'s' * (passed > 1)} of former runs passed over")
    where = targets(found, [slug(spec) for spec in specs])
    keep = [spec for spec in specs if len(spec) < 4096 and "\0" not in spec and Path(spec).is_file()]
    return [Job(one.path, spec, where[one.path, i], output, record.name, options, keep, force).known(record)
            for one in found if mine(one.inside, part) for i, spec in enumerate(specs)]


def outcomes(work: list[Job], jobs: int, backend: str | None = None, scheduler: str | None = None) -> Generator[Any, None, None]:
    """What came of each job, in their order: by this process, or by others, here or in a cluster, as they are free."""
    if jobs == 1 and backend is None:
        yield from map(done, work)
        return
    from sigconv.applying import clustered, spread

    early: dict[int, Any] = {}
    waited = 0
    pieces = [(str(Path.cwd()), job) for job in work]
    for number, result in clustered(done_there, pieces, backend, scheduler, jobs) if backend else spread(done, work, jobs):
        early[number] = result
        while waited in early:
            yield early.pop(waited)
            waited += 1


def done(job: Job) -> tuple[Any, list[str], int]:
    """A job's line of the record, or what went wrong; what was noted; an exit code."""
    import warnings

    from sigconv.applying import apply as do
    from sigconv.errors import SigconvWarning

    from .main import explain

    with warnings.catch_warnings(record=True) as log:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", SigconvWarning)
        try:
            entry, code = do(job, lambda x: _kernel(job, x)), 0
        except Exception as why:
            entry, code = explain(why)  # type: ignore[assignment]
    return entry, [str(note.message) for note in log], code


def done_there(piece: tuple[str, Job]) -> Any:
    """The same in another folder and process, which may have got the job from one that died: what that one finished is done."""
    from sigconv.applying import Record

    folder, job = piece
    os.chdir(folder)
    with suppress(Exception):  # said by the job itself
        job = job.known(Record(job.folder, job.record))
    return done(job)


KERNELS: dict[Any, Any] = {}  # of this process, by name and grid


def _kernel(job: Job, x: Any) -> Any:
    """The kernel for a file, made once for all files alike."""
    d = x.domain
    key = job.spec, d.ndim, d.step, d.unit, job.options["resample"]
    if key not in KERNELS:
        if len(KERNELS) > 8:
            KERNELS.clear()
        KERNELS[key] = kernel_for(job.spec, x, job.options["resample"], Noted())  # type: ignore[arg-type]
    return KERNELS[key]


class Noted:
    """Talk in a process that can't talk: warnings, which are carried over."""

    def say(self, text: str) -> None:
        import warnings

        from sigconv.errors import SigconvWarning

        warnings.warn(SigconvWarning(text.removeprefix("note: ")), stacklevel=2)


def _raised(result: Any, talk: Talk, said: set[str]) -> dict[str, Any]:
    """The line of a job that went well; its notes said, each once."""
    from sigconv.errors import SigconvError, UsageError

    if not isinstance(result, tuple):
        raise SigconvError(f"the process that worked on it ended (exit code {result.code}); is the memory too small?")
    entry, notes, code = result
    for note in notes:
        if note not in said:
            talk.say(f"note: {note}")
        said.add(note)
    if code:
        raise (UsageError if code == 2 else SigconvError)(entry)
    return entry


def _missing(output: str, work: list[Job]) -> list[Path]:
    """Folders that this run will make, the innermost first."""
    places = {Path(output, job.target).parent for job in work}
    return sorted({p for place in places for p in (place, *place.parents) if not p.exists()}, reverse=True)
