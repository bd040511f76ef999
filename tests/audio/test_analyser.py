"""The version of the analyser: files are analysed again after an attribute is added or measured in another way."""

import ast
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import recsys.audio
from recsys.audio.analyse import analyser_version
from recsys.audio.features.measure import FORMAT
from recsys.lake.measured import Features, measured

AUDIO = Path(recsys.audio.__file__).parent
CODE = (*sorted((AUDIO / "features").glob("*.py")), *(AUDIO / name for name in ("mel.py", "signal.py", "spectrum.py")))
WEIGHTS = tuple(AUDIO / "weights" / name for name in ("beats.npz", "harmony.npz", "tempo.npz"))
RECORDED = (2, "d3416c24935f6e30")


def structure(node: Any) -> Any:
    """Return a syntax tree as nested lists, the same in every Python version, without docstrings."""
    if isinstance(node, list):
        return [structure(item) for item in node if not is_docstring(item)]
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = [[name, structure(value)] for name, value in ast.iter_fields(node) if value is not None and value != []]
    return [type(node).__name__, *parts]


def is_docstring(node: Any) -> bool:
    """Say whether a statement is a bare string."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def digest() -> str:
    """Return 16 hex digits of the code that measures features, comments and docstrings left out, and of its weights."""
    code = [str(structure(ast.parse(path.read_text(encoding="utf-8")))).encode() for path in CODE]
    return sha256(b"".join([*code, *(path.read_bytes() for path in WEIGHTS)])).hexdigest()[:16]


def test_a_new_attribute_changes_the_version() -> None:
    """The next scan adds the attribute to a catalogue, without raising `FORMAT` by hand."""

    @dataclass(frozen=True)
    class MoreFeatures(Features):
        crest_factor_db: float | None = measured(low=0, high=200)

    assert analyser_version(MoreFeatures) != analyser_version(Features) == analyser_version(Features)


def test_changed_code_is_noticed() -> None:
    """Whoever changes the code that computes features decides whether scanned files must be analysed again."""
    assert (FORMAT, digest()) == RECORDED, (
        "The code or weights that compute features changed. If any file may now get other values, raise FORMAT in "
        "recsys/audio/features/measure.py: the next scan then analyses every catalogue again. If none may (a renamed "
        "variable, an error message, a new attribute, which changes the version by itself), leave FORMAT. Then record "
        f'the decision in tests/audio/{Path(__file__).name}: RECORDED = ({FORMAT}, "{digest()}")'
    )


def test_comments_and_docstrings_do_not_count_as_code() -> None:
    """Documentation can be improved without a decision."""
    documented = ast.parse('def half(x):\n    """Halve a number."""\n    return x / 2  # exactly')

    assert structure(documented) == structure(ast.parse("def half(x): return x / 2"))
    assert structure(documented) != structure(ast.parse("def half(x): return x / 3"))
