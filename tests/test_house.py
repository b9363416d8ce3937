"""The house stands as docs/architecture.md draws it: floors, light imports, names that are visible, typed and documented."""

import ast
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sigconv as sc

ROOT = Path(__file__).parents[1]
FILES = sorted(p for folder in ("sigconv", "cli", "samples") for p in (ROOT / folder).rglob("*.py"))
HEAVY = {"torch", "torchaudio", "scipy", "matplotlib", "librosa", "soundfile", "soxr", "PIL"}
UPWARD = {"sigconv/signal.py: Signal.__matmul__ -> convolving", "sigconv/signal.py: Signal._repr_html_ -> page"}

# What is public and has nothing to show in a doctest, each with its reason.
WITHOUT_DOCTEST = {
    "hear.play": "needs a sound device",
    "learn.fetch_commands": "needs the network",
    "kernels.family": "entering a family changes the list; every kernel shows how it is used",
}


def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def floors():
    """{room: floor}, read from the table of docs/architecture.md."""
    table = {}
    for row in re.findall(r"^\| *(\d+) *\|([^|]*)\|", (ROOT / "docs/architecture.md").read_text(encoding="utf-8"), re.MULTILINE):
        for name in re.findall(r"`([\w]+)(?:\.py|/)`", row[1]):
            table[name] = int(row[0])
    return table


def room_of(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return "cli" if parts[0] == "cli" else parts[1]


def imports(path):
    """(module, names, where it stands) of every import of a file, inside functions too; where is a qualified name."""
    package = ["sigconv_cli" if p == "cli" else p for p in path.relative_to(ROOT).parent.parts]

    def walk(node, where):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield alias.name, [], where
            elif isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else []
                yield ".".join([*base, *(child.module or "").split(".")]).strip("."), [a.name for a in child.names], where
            named = isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            yield from walk(child, [*where, child.name] if named else where)

    yield from walk(parse(path), [])


def rooms_entered(path):
    """(room, where) for every import of another part of sigconv."""
    for module, names, where in imports(path):
        head, *rest = module.split(".")
        if head == "sigconv":
            yield from ((name, where) for name in (rest[:1] or names or ["sigconv"]) if name != "__version__")


def sideways(room, other, table):
    """Whether two rooms share a floor and are not one: the ground floors, 0 and 1, are one room each."""
    return room != other and table[room] == table[other] and table[room] > 1


def breaches(path, table):
    for other, where in rooms_entered(path):
        room = room_of(path)
        if room == "cli" or (other == "errors" and room == "domain"):
            continue
        if other not in table:
            yield f"{path.relative_to(ROOT)}: {'.'.join(where)} -> {other}: no room of the table"
        elif table[other] > table[room] or sideways(room, other, table):
            yield f"{path.relative_to(ROOT)}: {'.'.join(where)} -> {other}"


def test_every_module_has_a_floor():
    table = floors()
    modules = {m.name for m in pkgutil.iter_modules([str(ROOT / "sigconv")])}
    assert modules | {"cli"} == set(table) - {"samples"}
    assert set(range(10)) == set(table.values())


def test_imports_run_downwards_and_the_two_upward_calls_are_the_only_ones():
    table = floors()
    found = {breach for path in FILES if path.parts[-2] != "samples" and path != ROOT / "sigconv/__init__.py"
             for breach in breaches(path, table)}
    assert found == UPWARD


def test_breaches_are_found(tmp_path, monkeypatch):
    (tmp_path / "sigconv/study").mkdir(parents=True)
    bad = tmp_path / "sigconv/study/bad.py"
    bad.write_text("def f():\n    from ..hear import loudness\n    from ..page.x import y\n    from .. import specs, spectrum\n"
                   "    import sigconv\n    from .other import z\n")
    monkeypatch.setitem(globals(), "ROOT", tmp_path)
    table = {"study": 6, "hear": 6, "page": 8, "specs": 7, "spectrum": 4}
    assert [b.split("-> ")[1] for b in breaches(bad, table)] == ["hear", "page", "specs", "sigconv: no room of the table"]


def test_the_ground_floor_needs_the_standard_library_only():
    for name in ("domain", "errors"):
        heads = {module.split(".")[0] for module, _, _ in imports(ROOT / f"sigconv/{name}.py")}
        assert heads - {"sigconv"} <= set(sys.stdlib_module_names)


def at_import(body):
    """Packages that a module imports when it is imported itself: what stands in no function and not under TYPE_CHECKING."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0]
        elif isinstance(node, (ast.If, ast.Try, ast.ClassDef)) and "TYPE_CHECKING" not in ast.unparse(node).splitlines()[0]:
            yield from at_import([*node.body, *getattr(node, "orelse", []), *getattr(node, "finalbody", [])])


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_file(path):
    """Heavy libraries inside functions only; small files; nothing that runs what it reads."""
    text, tree = path.read_text(encoding="utf-8"), parse(path)
    light = HEAVY | {"numpy"} if path.parts[-2] == "cli" else HEAVY
    if path.parts[-2] == "learn" and path.name != "__init__.py":  # a room of nets, opened name by name
        light = light - {"torch"}
    assert not set(at_import(tree.body)) & light
    assert text.count("\n") <= 400
    assert not re.search(r"\bpickle\b.*\.(load|dump)|\bimport pickle|(?<![\w.])eval\(|(?<![\w.])exec\(|allow_pickle=True", text)
    assert ast.get_docstring(tree), "a module says what it is for"


def test_tests_need_only_what_the_install_brings():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = project["dependencies"] + project["optional-dependencies"]["test"]
    brought = {re.match(r"[\w-]+", line)[0].lower().replace("-", "_") for line in asked} | {"pil"}
    ours = {"sigconv", "sigconv_cli", "sigconv_samples", "cli", "samples"} | {
        p.stem for folder in ("tests", "docs") for p in (ROOT / folder).glob("*.py")}
    used = {module.split(".")[0] for path in (ROOT / "tests").rglob("*.py") for module, _, _ in imports(path)}
    used |= {module.split(".")[0] for path in FILES for module, _, _ in imports(path)} - {"sounddevice"}
    assert {name for name in used - ours if name.lower() not in brought} <= set(sys.stdlib_module_names)


def run(code, tmp_path, *args, **env):
    """Python in an empty folder; stdout, after checking that it went well."""
    done = subprocess.run([sys.executable, "-c", code, *args], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, env=os.environ | {"CI": "true"} | env)
    assert done.returncode == 0, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_import_is_light(tmp_path):
    heavy = run("import sys, sigconv; dir(sigconv); print(*{m.split('.')[0] for m in sys.modules})", tmp_path).split()
    assert not set(heavy) & HEAVY


def test_learn_waits_for_torch_until_it_is_used(tmp_path):
    loaded = run("import sys, sigconv; dir(sigconv.learn); sigconv.learn.Speech; print(*{m.split('.')[0] for m in sys.modules})",
                 tmp_path)
    assert "torch" not in loaded.split()


def test_help_of_every_verb_imports_no_numpy(tmp_path):
    code = """
import sys
from sigconv_cli import main as cli
for verb in [None, *cli.VERBS]:
    sys.argv = ["sigconv", *([verb] if verb else []), "--help"]
    try:
        cli.main()
    except SystemExit as stop:
        assert not stop.code, stop.code
    loaded = {m.split(".")[0] for m in sys.modules} & {"numpy", "scipy", "torch", "matplotlib", "librosa", "soundfile"}
    assert not loaded, (verb, loaded)
"""
    out = run(code, tmp_path)
    verbs = (ROOT / "cli/main.py").read_text(encoding="utf-8").partition("VERBS = {")[2].partition("\n}")[0].count("\n")
    assert out.count("Usage:") == 1 + verbs and "Examples:" in out


HIDDEN = """
import sys

class Hidden:
    names = set(sys.argv[1].split(","))
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hidden())
sys.argv = ["sigconv", *sys.argv[2:]]
from sigconv_cli.main import main
main()
"""


@pytest.mark.parametrize("words", [
    "listen --kernel edge --no-open", "listen --kernel room --kernel lowpass:cutoff=800 --no-open -o out {speech}",
    "listen --kernel blur --no-open {image}", "kernels", "kernels edge", "info {speech} {image}", "describe -- -1,0,1",
])
def test_verbs_without_the_heavy_libraries(words, tmp_path):
    """listen, kernels, describe and info without torch, librosa, scipy and matplotlib."""
    args = words.format(speech=sc.io.sample("speech"), image=sc.io.sample("image")).split()
    assert run(HIDDEN, tmp_path, "torch,torchaudio,librosa,scipy,matplotlib,array_api_compat,sounddevice", *args)


@pytest.mark.parametrize("words", ["look --kernel edge", "look {speech}", "look --kernel blur {image}",
                                   "look --kernel lowpass:cutoff=800 {speech}"])
def test_look_without_torch_and_librosa(words, tmp_path):
    args = words.format(speech=sc.io.sample("speech"), image=sc.io.sample("image")).split()
    run(HIDDEN, tmp_path, "torch,torchaudio,librosa", *args)
    assert [p.suffix for p in tmp_path.iterdir()] == [".png"]


def public():
    """(dotted name, object) of everything public: the names of `sigconv` and of its rooms."""
    for name in sc.__all__:
        thing = getattr(sc, name)
        yield name, thing
        if inspect.ismodule(thing):
            for inner in thing.__all__:
                yield f"{name}.{inner}", getattr(thing, inner)


def test_all_is_what_is_visible():
    assert sorted(sc.__all__) == list(sc.__all__)
    assert set(dir(sc)) == {*sc.__all__, "__version__"}
    assert set(sc.__all__) == {n for n in {*sc._HOMES, *sc._ROOMS} if not n.startswith("_")}
    with pytest.raises(AttributeError, match="no attribute 'convolv'"):
        sc.convolv  # noqa: B018


def test_rooms_say_what_is_public():
    for name in sc._ROOMS:
        room = getattr(sc, name)
        assert room.__doc__ and room.__all__, name
        assert len(set(room.__all__)) == len(room.__all__), name


def test_everything_public_is_documented():
    bare = [name for name, thing in public() if (callable(thing) or inspect.ismodule(thing)) and not inspect.getdoc(thing)]
    assert not bare


def test_every_public_function_shows_an_example():
    missing = {name for name, thing in public() if inspect.isfunction(thing) and ">>>" not in (inspect.getdoc(thing) or "")}
    assert missing - set(WITHOUT_DOCTEST) == set()
    assert set(WITHOUT_DOCTEST) <= {name for name, _ in public()}


def test_no_module_bears_the_name_of_a_public_function():
    for package in (sc, *(getattr(sc, name) for name in sc._ROOMS)):
        if hasattr(package, "__path__"):
            modules = {m.name for m in pkgutil.iter_modules(package.__path__)}
            named = {n for n in package.__all__ if not inspect.ismodule(getattr(package, n))}
            assert not modules & named, package.__name__


def test_the_stub_says_the_same():
    tree = ast.parse((ROOT / "sigconv/__init__.pyi").read_text(encoding="utf-8"))
    homes, listed = {}, None
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            assert node.level == 1 and all(alias.asname == alias.name for alias in node.names)
            homes |= {alias.name: node.module for alias in node.names}
        elif isinstance(node, ast.Assign):
            listed = ast.literal_eval(node.value)
    assert listed == sc.__all__
    assert homes == sc._HOMES | dict.fromkeys(sc._ROOMS)


def test_versions_agree():
    for name, pattern in (("CITATION.cff", r"^version: (\S+)"), ("CHANGELOG.md", r"^## \[([\d.]+)\]")):
        found = re.search(pattern, (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE)
        assert found and found[1] == sc.__version__, name
    assert importlib.import_module("importlib.metadata").version("sigconv") == sc.__version__
