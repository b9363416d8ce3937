"""Work spread over processes, each of which does one piece at a time; one that dies loses its piece and no other."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

__all__ = ["Died", "spread"]


@dataclass(frozen=True)
class Died:
    """What comes instead of a result: the process ended, with this exit code (−9: killed)."""

    code: int | None


def spread(work: Callable[[Any], Any], pieces: Sequence[Any], jobs: int) -> Iterator[tuple[int, Any]]:
    """(number, work(piece)) of all pieces, as they come, by `jobs` processes that begin anew (spawn).

    `work` is a function of a module; it raises nothing. Where the loop over it ends early, the processes are ended, in such a way
    that they clean up.

    >>> sorted(spread(abs, [-3, 5, -7], 1))
    [(0, 3), (1, 5), (2, 7)]
    """
    import multiprocessing as mp
    from multiprocessing.connection import wait

    context = mp.get_context("spawn")
    waiting = iter(enumerate(pieces))
    busy: dict[Connection, tuple[Any, int]] = {}
    hands: dict[Connection, Any] = {}

    def give(hand: Connection | None) -> None:
        number, piece = next(waiting, (-1, None))
        if number < 0:
            if hand is not None:
                _dismiss(hands, hand)
            return
        if hand is None:
            hand, other = context.Pipe()
            process = context.Process(target=_serve, args=(other, work), daemon=True)
            process.start()
            other.close()
            hands[hand] = process
        busy[hand] = hands[hand], number
        with suppress(OSError):  # it died at once: found when its result is read
            hand.send(piece)

    try:
        for _ in range(min(jobs, len(pieces))):
            give(None)
        while busy:
            for hand in cast("list[Connection]", wait(list(busy))):
                process, number = busy.pop(hand)
                try:
                    result = hand.recv()
                except (EOFError, OSError):
                    process.join()
                    result, code = None, process.exitcode
                    _dismiss(hands, hand)
                    yield number, Died(code)
                    give(None)
                    continue
                yield number, result
                give(hand)
    finally:
        for process in hands.values():
            process.terminate()
        for hand in list(hands):
            _dismiss(hands, hand)


def _dismiss(hands: dict[Connection, Any], hand: Connection) -> None:
    hand.close()
    hands.pop(hand).join()


def _serve(hand: Connection, work: Callable[[Any], Any]) -> None:
    """A process's life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us is told, and ends us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with suppress(EOFError, OSError):
        while True:
            hand.send(work(hand.recv()))
