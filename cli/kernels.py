"""`sigconv kernels`: the families, and what each is."""

from __future__ import annotations

import click

from .common import Talk, complete, emit, talk_options


@click.command()
@talk_options
@click.argument("name", required=False, shell_complete=complete)
def kernels(name: str | None, talk: Talk) -> None:
    """List the kernels, or tell about NAME: what it is, its parameters and their units."""
    from sigconv.kernels import FAMILIES, find

    if name is None:
        wide = max(map(len, FAMILIES))
        for each in (FAMILIES[known] for known in sorted(FAMILIES)):
            also = f" (also {', '.join(each.aliases)})" if each.aliases else ""
            talk.result(f"{each.name:<{wide}}  {each.summary}{also}", _data(each))
        talk.say("sigconv kernels NAME tells more; taps (-1,0,1) and files (room.wav, taps.npy) are kernels too")
        return
    family = find(name)
    if family is None:
        from sigconv.errors import UsageError
        from sigconv.kernels.reading import nearest

        raise UsageError(f"kernel '{name}': {nearest(name) or 'wanted one of ' + ', '.join(sorted(FAMILIES))}")
    emit(talk, _rows(family), _data(family) | {"does": _sentence(family)})


def _data(family) -> dict:
    return {"name": family.name, "aliases": list(family.aliases), "summary": family.summary, "dims": list(family.dims),
            "parameters": {p: {"unit": q.unit, "default": q.default, "meaning": q.meaning} for p, q in family.parameters.items()}}


def _rows(family) -> list[tuple[str, str]]:
    rows = [(family.name, family.summary), ("does", _sentence(family)), ("serves", ", ".join(f"{d}D" for d in family.dims))]
    for name, p in family.parameters.items():
        rows.append((f":{name}", f"{p.meaning} ({', '.join(filter(None, (p.unit, f'default {p.default}')))})"))
    return [*rows, ("try", f"sigconv listen --kernel {family.name}")]


def _sentence(family) -> str:
    """What it does with its defaults at 44.1 kHz (or on pixels)."""
    import sigconv

    like = sigconv.line(1, 44100) if 1 in family.dims else sigconv.grid(*(1,) * family.dims[0])
    return sigconv.study.describe(sigconv.kernel(family.name, like))
