"""`python -m sigconv.kernels` writes the tables of kernels and of banks, from the registers, for docs/kernels.md."""

from . import BANKS, FAMILIES, BankFamily, Family

WORDS = {"dc": "gain {} at DC", "slope": "+{} dB an octave at the low end", "symmetry": "symmetry {}", "norm1": "‖·‖₁ {}",
         "norm2": "‖·‖₂ {}", "delay": "delay {}", "zero_mean": "zero mean ({})"}


def row(f: Family) -> str:
    """One family as a row of the table."""
    facts = ", ".join(_fact(fact, value) for fact, value in f.facts.items())
    return _cells(*_words(f), facts)


def _words(f: Family | BankFamily) -> tuple[str, str, str]:
    names = f"`{f.name}`" + "".join(f", `{a}`" for a in f.aliases)
    parameters = "; ".join(f"`{name}` ({p.unit + '; ' if p.unit else ''}default {_plain(p.default)}): {p.meaning}"
                           for name, p in f.parameters.items())
    return names, f.summary, parameters or "–"


def _fact(fact: str, value: object) -> str:
    """One fact in words; where dimensions differ, one number for each: `4/8 (2D/3D)`."""
    words = WORDS.get(fact, f"{fact} {{}}")
    if not isinstance(value, dict):
        return words.format(_plain(value))
    return f"{words.format('/'.join(map(_plain, value.values())))} ({'/'.join(f'{n}D' for n in value)})"


def _plain(value: object) -> str:
    return "yes" if value is True else f"{value:.4g}" if isinstance(value, float) else str(value)


def _cells(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def table() -> str:
    """The families as a table in Markdown, by name."""
    head = "| family | what it does | parameters | declares |\n|---|---|---|---|\n"
    return head + "\n".join(row(FAMILIES[name]) for name in sorted(FAMILIES)) + "\n"


def dimensions() -> str:
    """Each family's taps in one, two and three dimensions, or why it refuses."""
    head = "| family | 1D | 2D | 3D |\n|---|---|---|---|\n"
    return head + "\n".join(_cells(f"`{name}`", *(FAMILIES[name].cell(n) for n in (1, 2, 3))) for name in sorted(FAMILIES)) + "\n"


def banks() -> str:
    """The banks as a table in Markdown, by name."""
    head = "| bank | what it is | words | may learn |\n|---|---|---|---|\n"
    rows = (_cells(*_words(f), ", ".join(f"`{name}`" for name in dict.fromkeys((*f.learnable, "taps"))))
            for _, f in sorted(BANKS.items()))
    return head + "\n".join(rows) + "\n"


if __name__ == "__main__":
    print(table(), dimensions(), banks(), sep="\n", end="")
