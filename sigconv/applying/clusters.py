"""Work spread over a cluster that is there already, dask's or ray's, through joblib: the same pieces, the same results.

A worker that dies loses nothing: dask gives its piece to another one (up to `distributed.scheduler.allowed-failures`, 3, times),
which finds in the record what was finished.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from ..errors import SigconvError, among
from .hands import Died

__all__ = ["BACKENDS", "clustered"]

BACKENDS = ("dask", "ray")
WAIT = 10  # s for a scheduler to answer


def clustered(work: Callable[[Any], Any], pieces: Sequence[Any], backend: str, scheduler: str | None = None,
              jobs: int = 1) -> Iterator[tuple[int, Any]]:
    """(number, work(piece)) of all pieces, as they come, from the workers of a cluster; `Died` for what it gave up.

    `backend`: "dask" or "ray". `scheduler`: its address, e.g. "tcp://10.0.0.5:8786"; without one a cluster of `jobs` processes is
    begun on this machine. `work` is a function of a module that the workers can import, and raises nothing.

    >>> clustered(abs, [-3], "dusk")
    Traceback (most recent call last):
      ...
    sigconv.errors.SigconvError: backend 'dusk': wanted dask, ray; did you mean 'dask'?

    Raises `SigconvError` where backend or joblib is not installed, and where no scheduler answers.
    """
    among(backend, BACKENDS, "backend")
    joblib = _imported("joblib", backend)
    held = ExitStack()
    try:
        options = (_dask if backend == "dask" else _ray)(scheduler, jobs, held)
    except BaseException:
        held.close()
        raise
    return _results(joblib, work, pieces, options, held)


def _results(joblib: Any, work: Callable[[Any], Any], pieces: Sequence[Any], options: dict[str, Any],
             held: ExitStack) -> Iterator[tuple[int, Any]]:
    left = set(range(len(pieces)))
    with held, joblib.parallel_config(**options) as config:
        count = config["backend"].effective_n_jobs  # of one worker joblib would do the work itself, in this process
        config["backend"].effective_n_jobs = lambda n: max(count(n), 2)
        if options["backend"] == "dask":
            _say_failures(config["backend"])
        run = joblib.Parallel(n_jobs=-1, batch_size=1, pre_dispatch="all", return_as="generator_unordered")
        found = run(joblib.delayed(_numbered)(work, i, piece) for i, piece in enumerate(pieces))
        try:
            for number, result in found:
                left.discard(number)
                yield number, result
        except Exception:  # a piece that killed every worker it was given to: joblib ends there
            yield from ((number, Died(None)) for number in sorted(left))


def _say_failures(backend: Any) -> None:
    """joblib's dask backend calls back for what went well alone, and would wait for a piece that was given up for ever."""
    submit, retrieve = backend.submit, backend.retrieve_result_callback

    def submitted(func: Any, callback: Any = None) -> Any:
        future = submit(func, callback)
        future.add_done_callback(lambda f: callback(f.exception()) if f.exception() is not None else None)
        return future

    def retrieved(out: Any) -> Any:
        if isinstance(out, BaseException):
            raise out
        return retrieve(out)

    backend.submit, backend.retrieve_result_callback = submitted, retrieved


def _numbered(work: Callable[[Any], Any], number: int, piece: Any) -> tuple[int, Any]:
    return number, work(piece)


def _dask(scheduler: str | None, jobs: int, held: ExitStack) -> dict[str, Any]:
    distributed = _imported("distributed", "dask")
    try:
        if scheduler is None:
            address: Any = held.enter_context(distributed.LocalCluster(n_workers=jobs, threads_per_worker=1, processes=True,
                                                                       dashboard_address=None))
        else:
            address = scheduler
        client = held.enter_context(distributed.Client(address, timeout=WAIT, set_as_default=False))
    except (OSError, ValueError) as why:
        raise SigconvError(f"scheduler {scheduler}: {str(why).splitlines()[0] if str(why) else 'no answer'}; wanted the address "
                           "of one that runs, e.g. tcp://HOST:8786") from None
    return {"backend": "dask", "client": client, "pure": False}


def _ray(scheduler: str | None, jobs: int, held: ExitStack) -> dict[str, Any]:
    ray = _imported("ray", "ray")
    register = _imported("ray.util.joblib", "ray").register_ray
    try:
        ray.init(address=scheduler, log_to_driver=False, **({} if scheduler else {"num_cpus": jobs}))
    except (OSError, ValueError, RuntimeError) as why:
        raise SigconvError(f"scheduler {scheduler}: {str(why).splitlines()[0]}; wanted the address of one that runs, e.g. "
                           "HOST:6379") from None
    held.callback(ray.shutdown)
    register()
    return {"backend": "ray"}


def _imported(name: str, backend: str) -> Any:
    from importlib import import_module

    try:
        return import_module(name)
    except ImportError:
        extra = "'sigconv[cluster]'" if backend == "dask" else "'sigconv[cluster]' ray"
        raise SigconvError(f"backend {backend!r}: {name.partition('.')[0]} is not installed; pip install {extra}") from None
