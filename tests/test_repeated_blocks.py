"""No six lines of code are repeated: shared code is a function, shared SQL an intermediate table."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
N_LINES = 6
NO_CODE = re.compile(r"#.*|--.*")
NO_SQL_LOGIC = re.compile(r"(\w+\.)?\w+,?")  # a bare column: every SELECT lists its columns

# Files that share a block -> why it is not moved to one place.
KNOWN = {
    frozenset({"sql/marts/interactions_daily.sql", "sql/marts/track_daily.sql"}): "the same counts at two grains",
}


def sources() -> list[Path]:
    """List the files that are checked."""
    python = [path for folder in ("recsys", "dashboards", "bench") for path in (ROOT / folder).rglob("*.py")]
    return sorted([*python, *(ROOT / "sql").rglob("*.sql")])


def code_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield number and text of the lines of code in a file, with indentation removed."""
    text = path.read_text(encoding="utf-8")
    left_out = _imports_and_docstrings(text) if path.suffix == ".py" else set()
    for number, line in enumerate(text.splitlines(), start=1):
        code = " ".join(line.split())
        is_logic = path.suffix != ".sql" or not NO_SQL_LOGIC.fullmatch(code)
        if code and is_logic and number not in left_out and not NO_CODE.fullmatch(code):
            yield number, code


def _imports_and_docstrings(text: str) -> set[int]:
    left_out: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        ):
            left_out.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return left_out


def repeated(paths: list[Path]) -> list[list[tuple[Path, int]]]:
    """Return each repeated block of six lines as (file, first line) pairs; a longer repetition is one block."""
    blocks = defaultdict(list)
    for path in paths:
        lines = list(code_lines(path))
        for first in range(len(lines) - N_LINES + 1):
            block = tuple(code for _, code in lines[first : first + N_LINES])
            blocks[block].append((path, first, lines[first][0]))
    starts = {
        tuple((path, first) for path, first, _ in locations): locations
        for locations in blocks.values()
        if len(locations) > 1
    }
    return [
        [(path, number) for path, _, number in locations]
        for start, locations in starts.items()
        if tuple((path, first - 1) for path, first in start) not in starts
    ]


def test_no_block_of_six_lines_is_repeated() -> None:
    """Imports, docstrings, comments and column lists are ignored; each exception has a reason and still occurs."""
    blocks = [
        [(path.relative_to(ROOT).as_posix(), number) for path, number in locations] for locations in repeated(sources())
    ]
    files = {frozenset(path for path, _ in block) for block in blocks}

    assert [block for block in blocks if frozenset(path for path, _ in block) not in KNOWN] == []
    assert KNOWN.keys() - files == set()
    assert len(KNOWN) < 10


def test_a_repeated_block_is_found_in_any_context(tmp_path: Path) -> None:
    """It is found at another indentation, position and with comments between; five repeated lines are allowed."""
    block = [f"total += prices[{n}] * amounts[{n}]" for n in range(N_LINES)]
    first, second, short = (tmp_path / f"{name}.py" for name in ("first", "second", "short"))
    first.write_text("\n".join(["import os", *block]))
    second.write_text("\n".join(["def cost():", '    """Cost."""', *(f"    {line}\n    # why" for line in block)]))
    short.write_text("\n".join(block[:-1]))

    assert repeated([first, second, short]) == [[(first, 2), (second, 3)]]
