"""Pictures before and after: of an image, of a volume in three slices, of a video as films; all on one scale."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..pictures import picture
from ..pictures import signed as signed_kernel
from .figures import Picture, brighter, full_scale, is_signed, is_video, picture_figure, planes
from .films import film_figure, reel, reels, words
from .markup import heading, number

if TYPE_CHECKING:
    from ..hear import Listening, Take
    from ..signal import Signal

__all__ = ["alone", "before_and_after", "pictures"]

BYTES = 300_000  # of base64 for all pictures of a page


@dataclass(frozen=True)
class Group:
    """Pictures that are shown alike; `swings` around 0, `factor` times brighter; the first is found by its id `seen`."""

    name: str
    found: list[Picture]
    swings: bool
    factor: int = 1
    seen: str | None = None


def pictures(listening: Listening, shown: int, more: str = "") -> str:
    """The section of an image, a volume or a video: before, after and difference of the first `shown` takes."""
    dry, takes = listening.dry, listening.takes[:shown]
    scale, before = full_scale(dry), _cut(dry)
    swings = is_signed(before, scale)
    groups = [Group("before", before, swings, seen="seen-dry")]
    for i, take in enumerate(takes, 1):
        groups += _results(take, "after" if len(takes) == 1 else take.name, scale, swings, f"t{i}")
        if take.wet.value == dry.value and take.wet.domain == dry.domain:
            name = "after" if len(takes) == 1 else take.name
            groups.append(Group(f"difference, {name} minus before", _cut(take.wet - dry), True, seen=f"seen-difference-t{i}"))
    body = _laid(groups, dry, scale, alone(dry))
    said = f"Black is 0 and white {number(scale)}, the same for all; what lies beyond is drawn as black or white."
    if any(g.swings for g in groups):
        said += (f" Where values swing around 0, as in a difference, 0 is middle grey, {number(scale)} white and "
                 f"{number(-scale)} black.")
    if any(g.factor > 1 for g in groups):
        said += " Faint results are shown brighter, by the factor that stands below them."
    if is_video(dry):
        said += words(dry)
    return f'<section id="look"><h2>Before and after</h2><p class="quiet">{said}{more}</p>{body}</section>'


def before_and_after(listening: Listening, bytes_: int) -> str:
    """The pictures before and after the first take alone, of a bank all filters together; lines on them follow the sounds."""
    dry, (take, *_) = listening.dry, listening.takes
    scale, before = full_scale(dry), _cut(dry, 1)
    swings = is_signed(before, scale)
    groups = [Group("", before, swings), _results(take, "", scale, swings, "t1", 1)[0]]
    share, draw, many = bytes_ * 3 // 4 // max(sum(len(group.found) for group in groups), 1), _draws(dry), len(before) > 1
    parts = []
    for group, name, track in zip(groups, ("Before", "After"), ("dry", "t1"), strict=True):
        figures = "".join(draw(p, scale, group.swings, share, "" if many else group.name, group.factor,
                               track=track if dry.domain.ndim == 2 else None) for p in group.found)
        parts.append(f'<div>{heading(name, group.name * many, track != "dry")}<div class="gallery">{figures}</div></div>')
    body = f'<div class="{"stack" if many else "two"}">{"".join(parts)}</div>'
    return reel(dry, body) if is_video(dry) else body


def alone(dry: Signal) -> bool:
    """Whether it is one picture, which the page can show as it is heard."""
    return dry.domain.ndim == 2 and len(planes(dry, 2)) == 1


def _cut(x: Signal, limit: int = 6) -> list[Picture]:
    return reels(x, limit) if is_video(x) else planes(x, limit)


def _results(take: Take, name: str, scale: float, swings: bool, track: str, limit: int = 6) -> list[Group]:
    """What a kernel made: of a bank all filters together, then each."""
    found, flat = _cut(take.wet, limit), signed_kernel(take.kernel)
    seen, said = picture(take.wet, take.kernel) if len(take.wet.value) > 1 and take.wet.value[-1] > 1 else (None, None)
    whole = [] if seen is None else _cut(seen, limit)
    factor = brighter(whole or found, scale) if flat else 1
    own = Group(name, found, flat or swings, factor, None if whole else f"seen-{track}")
    together = ", ".join(filter(None, (name, said)))
    return [Group(together, whole, False, factor, f"seen-{track}"), own] if whole else [own]


def _draws(x: Signal) -> Callable[..., str]:
    """What draws one picture of it."""
    return film_figure if is_video(x) else picture_figure


def _laid(groups: list[Group], dry: Signal, scale: float, staged: bool) -> str:
    """The figures of all groups, slices of volumes a row for each group. `staged`: a stage and neighbours find the first of each
    group by its id, and are made from the very first, which gets thrice the bytes."""
    share = BYTES * 3 // 4 // max(sum(len(group.found) for group in groups) + 2 * staged, 1)
    rows = ["".join(_draws(dry)(p, scale, group.swings, 3 * share if staged and not i else share, group.name, group.factor,
                                group.seen if staged and not j else None) for j, p in enumerate(group.found))
            for i, group in enumerate(groups)]
    if dry.domain.ndim == 3 and not is_video(dry):
        return "".join(f'<div class="block"><div class="gallery">{row}</div></div>' for row in rows)
    body = f'<div class="gallery">{"".join(rows)}</div>'
    return reel(dry, body) if is_video(dry) else body
