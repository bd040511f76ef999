"""The rules of the house that a machine can hold: who imports whom, homes of heavy packages, length of functions."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "recsys").rglob("*.py"))
EVERYTHING = [*SOURCES, *(path for part in ("bench", "dashboards", "tests") for path in (ROOT / part).rglob("*.py"))]

PAGES = sorted((ROOT / "dashboards" / "app_pages").glob("*.py"))

# The rooms, lowest first. A room imports from the lines above its own and, within a line, from rooms left of it; rooms
# of a line in APART do not see each other.
LAYERS = (
    ("errors", "arrays", "columns", "files"),
    ("installation", "home", "login"),
    ("lake",),
    ("ingest", "warehouse"),
    ("dataset",),
    ("recommenders", "evaluate", "audio", "synth"),
    ("library", "search"),
    ("rerank", "matching"),
    ("products", "feedback", "analytics"),
    ("releases", "reports"),
    ("recipe", "pipeline", "published", "experiments"),
    ("demo", "cli"),
)
APART = (("recommenders", "evaluate", "audio", "synth"), ("products", "feedback", "analytics"))
RANKS = {room: (line, place) for line, layer in enumerate(LAYERS) for place, room in enumerate(layer)}

HOMES = {
    "duckdb": ("recsys/warehouse/",),
    "implicit": (),
    "lightfm": ("recsys/recommenders/lightfm.py",),
    "sklearn": ("recsys/analytics/chart_breakouts.py",),
    "sqlglot": ("recsys/warehouse/sqlfile.py", "recsys/warehouse/portability.py"),
    "pyarrow": ("recsys/ingest/formats/", "recsys/demo/files.py"),
    "torch": (
        "recsys/audio/",
        "recsys/recommenders/parts/ranker.py",
        "recsys/recommenders/sequential.py",
        "recsys/recommenders/parts/transformer.py",
    ),
    "faiss": ("recsys/search/vector_index.py", "recsys/matching/fingerprint_index.py"),
    "av": ("recsys/audio/signal.py", "recsys/audio/training/distort.py"),
    "soundfile": ("recsys/audio/signal.py", "recsys/synth/render.py"),
    "tinysoundfont": ("recsys/synth/render.py",),
    "pretty_midi": ("recsys/synth/render.py",),
    "pyloudnorm": (),
    "librosa": (),
    "pyspark": ("recsys/warehouse/engine_spark.py",),
    "matplotlib": ("recsys/reports/feedback_loop.py", "recsys/reports/matching.py", "recsys/reports/morning/plots.py"),
    "streamlit": ("dashboards/",),
    "altair": ("dashboards/",),
    "pandas": (),
}
NOT_AT_START = (
    "duckdb",
    "implicit",
    "lightfm",
    "torch",
    "faiss",
    "pyspark",
    "streamlit",
    "av",
    "polars",
    "numpy",
    "scipy",
    "sklearn",
)


def module_of(path: Path) -> str:
    """The name of a file of `recsys`, without the package: 'ingest.run'."""
    return ".".join(path.relative_to(ROOT / "recsys").with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports, at its head or in a function, for use or for its types."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    """The room that a module is in; None for the package itself and what is no module of it."""
    room = module.partition(".")[0]
    return room if room in RANKS else None


def test_the_root_holds_rooms_and_few_modules() -> None:
    """Every module but the package itself is in a room, and at most eight are rooms of their own."""
    assert [module_of(path) for path in SOURCES if room_of(module_of(path)) is None] == ["__init__"]
    assert len([path for path in (ROOT / "recsys").glob("*.py") if path.stem != "__init__"]) <= 8


def test_imports_point_one_way() -> None:
    """No room imports from one that stands right of it or below it."""
    upward = [
        f"{module_of(path)} imports {name}"
        for path in SOURCES
        for name in imports(path)
        if not _points_down(room_of(module_of(path)), room_of(name.removeprefix("recsys.")))
    ]

    assert upward == []


def _points_down(own: str | None, used: str | None) -> bool:
    if own is None or used is None or used == own:
        return True
    return RANKS[used] < RANKS[own] and not any({own, used} <= set(layer) for layer in APART)


def test_a_heavy_package_has_one_home() -> None:
    """Nobody else imports it."""
    strays = [
        f"{path.relative_to(ROOT)} imports {package}"
        for path in [*SOURCES, *(ROOT / "dashboards").rglob("*.py")]
        for package in {name.split(".")[0] for name in imports(path)} & HOMES.keys()
        if not str(path.relative_to(ROOT)).startswith(HOMES[package])
    ]

    assert strays == []


def test_recommenders_use_each_others_public_methods_alone() -> None:
    """A private name is used in the module that defines it: not in a subclass elsewhere, nor by leave of the linter."""
    rooms = [path for path in SOURCES if room_of(module_of(path)) == "recommenders"]
    borrowed = [f"{module_of(path)}: {name}" for path in rooms for name in _borrowed_names(path)]
    excused = [module_of(path) for path in rooms if "SLF001" in path.read_text(encoding="utf-8")]

    assert borrowed == []
    assert excused == []


def _borrowed_names(path: Path) -> set[str]:
    """Private attributes and imports that a file uses and does not define itself."""
    defined, used = {"_asdict"}, set()  # a named tuple's, public in spite of its name
    for node in ast.walk(parsed(path)):
        match node:
            case ast.FunctionDef(name=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                defined.add(name)
            case ast.Attribute(attr=name):
                used.add(name)
            case ast.ImportFrom(names=aliases):
                used.update(alias.name for alias in aliases)
    return {name for name in used - defined if name.startswith("_") and not name.startswith("__")}


def test_an_array_type_has_one_name() -> None:
    """What `recsys/arrays.py` names, no other module names again."""
    named = set(_aliases(ROOT / "recsys" / "arrays.py").values())
    again = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in EVERYTHING
        if path != ROOT / "recsys" / "arrays.py"
        for name, value in _aliases(path).items()
        if value in named
    ]

    assert "npt.NDArray[np.float32]" in named
    assert again == []


def _aliases(path: Path) -> dict[str, str]:
    """The names of a module that stand for an array type, and what they stand for."""
    assigned = {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]): ast.unparse(node.value)
        for node in parsed(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
    }
    return {name: value for name, value in assigned.items() if value.startswith("npt.NDArray[")}


def test_a_page_asks_draws_and_stops() -> None:
    """What it needs beyond Streamlit, six modules of the dashboards give it; it computes nothing."""
    given = ("charts", "data", "filters", "markdown", "parts", "sentences")
    allowed = ("streamlit", *(f"dashboards.{name}" for name in given))

    assert {path.stem: name for path in PAGES for name in imports(path) if not name.startswith(allowed)} == {}


def test_dashboards_do_not_import_the_command_line() -> None:
    """What both need is in a room of its own, as the login is in `recsys/login.py`."""
    modules = (ROOT / "dashboards").rglob("*.py")

    assert [path.stem for path in modules for name in imports(path) if name.startswith("recsys.cli")] == []


def test_the_command_line_starts_without_heavy_packages() -> None:
    """`recsys --help` answers at once."""
    code = f"import sys, recsys.cli; print([name for name in {NOT_AT_START!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert loaded.stdout.strip() == "[]"


def test_no_function_is_longer_than_a_screen() -> None:
    """Sixty lines, docstring included."""
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in EVERYTHING
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]

    assert long == []


def test_the_clock_and_the_dice_come_in_by_the_door() -> None:
    """Only the command line asks for today, and nobody draws without a seed."""
    calls = {(module_of(path), call) for path in SOURCES for call in _calls(path)}
    clocks = ("date.today", "datetime.now", "datetime.utcnow", "time.time(")

    assert {module for module, call in calls if call.startswith(clocks)} == CLOCK_READERS
    assert [call for _, call in calls if call.startswith(("np.random.", "random.")) and call.endswith("()")] == []


def _calls(path: Path) -> Iterator[str]:
    """Every call of a file as written; only those of dotted names can be of the clock or of a generator."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node)


CLOCK_READERS = {"cli.options", "pipeline.run"}  # the date of a run, and the stamps of its log
