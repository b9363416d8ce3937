"""`sigconv kernels`: the families, and what each is."""

from __future__ import annotations

from typing import Any

import click

from .common import Talk, complete, emit, talk_options


@click.command()
@talk_options
@click.argument("name", required=False, shell_complete=complete)
def kernels(name: str | None, talk: Talk) -> None:
    """List the kernels and the banks, or tell about NAME: what it is, its parameters and their units."""
    from sigconv.kernels import BANKS, FAMILIES, find, find_bank

    if name is None:
        wide = max(map(len, (*FAMILIES, *BANKS)))
        shown: list[Any] = [("", f) for _, f in sorted(FAMILIES.items())] + [("bank: ", f) for _, f in sorted(BANKS.items())]
        for what, each in shown:
            also = f" (also {', '.join(each.aliases)})" if each.aliases else ""
            talk.result(f"{each.name:<{wide}}  {what}{each.summary}{also}", _data(each))
        talk.say("sigconv kernels NAME tells more; taps (-1,0,1) and files (room.wav, taps.npy) are kernels too")
        return
    family = find(name) or find_bank(name)
    if family is None:
        from sigconv.errors import UsageError
        from sigconv.kernels.reading import nearest

        raise UsageError(f"kernel '{name}': {nearest(name) or 'wanted one of ' + ', '.join(sorted({*FAMILIES, *BANKS}))}")
    emit(talk, _rows(family), _data(family) | {"does": _sentence(family)})


def _data(family) -> dict:
    return {"name": family.name, "aliases": list(family.aliases), "summary": family.summary, "dims": list(family.dims),
            "parameters": {p: {"unit": q.unit, "default": q.default, "meaning": q.meaning} for p, q in family.parameters.items()}}


def _rows(family) -> list[tuple[str, str]]:
    rows = [(family.name, family.summary), ("does", _sentence(family)), ("serves", ", ".join(f"{d}D" for d in family.dims))]
    for name, p in family.parameters.items():
        rows.append((f":{name}", f"{p.meaning} ({', '.join(filter(None, (p.unit, f'default {p.default}')))})"))
    from sigconv.kernels import FAMILIES

    several = family.name not in FAMILIES and "strides" in _sentence(family)
    return [*rows, ("try", f'sc.Bank("{family.name}", x)' if several else f"sigconv listen --kernel {family.name}")]


def _sentence(family) -> str:
    """What it does with its defaults at 44.1 kHz (or on pixels)."""
    import sigconv

    if family.name not in sigconv.kernels.FAMILIES:
        return _shape(family.make(sigconv.line(1, 44100) if 1 in family.dims else sigconv.grid(*(1,) * family.dims[0])))
    like = sigconv.line(1, 44100) if 1 in family.dims else sigconv.grid(*(1,) * family.dims[0])
    return sigconv.study.describe(sigconv.kernel(family.name, like))


def _shape(bank) -> str:
    """How many filters a bank has, and how long they are."""
    pairs = bank if isinstance(bank, list) else [(bank, 1)]
    taps = sorted({" × ".join(map(str, k.domain.shape)) for k, _ in pairs}, key=lambda text: (len(text), text))
    strides = "" if len(pairs) < 2 else f", at strides {', '.join(str(s) for _, s in pairs)}"
    return f"{sum(k.value[0] for k, _ in pairs)} filters of {' … '.join(taps[:1] + taps[1:][-1:])} taps at 44.1 kHz{strides}"
