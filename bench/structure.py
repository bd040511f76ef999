"""Structure of the code: modules at the root, packages and imports between them, lengths of functions and SQL files."""

import ast
import re
from pathlib import Path
from statistics import median, quantiles

from bench.options import benchmark

IMPORT = re.compile(r"^\s*from (recsys[\w.]*) import \(?(\w+)", re.MULTILINE)
ROOT = Path(__file__).parents[1]
PACKAGE, SQL = ROOT / "recsys", ROOT / "sql"


def functions() -> dict[str, int]:
    """Count the lines of every function of `recsys`, without its docstring and blank lines."""
    return {
        f"{path.relative_to(ROOT)}:{node.name}": _code_lines(node, path.read_text(encoding="utf-8").splitlines())
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef)
    }


def _code_lines(function: ast.FunctionDef, lines: list[str]) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    first = body[0].lineno if body else (function.end_lineno or function.lineno)
    return sum(bool(line.strip()) for line in lines[first - 1 : function.end_lineno])


def sql_lines() -> dict[str, int]:
    """Count the lines of every SQL file, without its header."""
    return {
        str(path.relative_to(ROOT)): sum(
            not line.startswith("--") for line in path.read_text(encoding="utf-8").strip().splitlines()
        )
        for path in sorted(SQL.rglob("*.sql"))
    }


def imports() -> set[tuple[str, str]]:
    """Return every pair of packages (or root modules) in which the first imports from the second."""
    pairs = set()
    for path in PACKAGE.rglob("*.py"):
        own = _package(".".join(path.relative_to(PACKAGE).with_suffix("").parts))
        for name in re.findall(
            r"^\s*from (recsys[\w.]*) import (?:\()?(\w+)", path.read_text(encoding="utf-8"), re.MULTILINE
        ):
            used = _package(".".join(name).removeprefix("recsys").lstrip("."))
            if used != own:
                pairs.add((own, used))
    return pairs


def _package(module: str) -> str:
    return module.partition(".")[0]


@benchmark(headline=r"modules at the root (\d+)")
def main() -> None:
    """Print the number of modules, packages and imports, and the lengths of functions and SQL files."""
    lengths, sql, pairs = functions(), sql_lines(), imports()
    root = [path for path in PACKAGE.glob("*.py") if path.stem != "__init__"]
    both = sorted((own, used) for own, used in pairs if (used, own) in pairs and own < used)
    longest = max(lengths, key=lengths.__getitem__)
    print(f"modules at the root {len(root)}, packages {len([path for path in PACKAGE.iterdir() if path.is_dir()])}")
    print(f"pairs of packages with an import {len(pairs)}, with imports in both directions {len(both)} {both or ''}")
    counts = list(lengths.values())
    p90, of_longest = quantiles(counts, n=10)[-1], f"{lengths[longest]} {longest}"
    print(f"functions {len(counts)}: median {median(counts)}, p90 {p90:.0f}, longest {of_longest}")
    long = {name: n for name, n in sql.items() if n > 80}
    over_60 = sum(n > 60 for n in sql.values())
    print(f"SQL files {len(sql)}, over 60 lines {over_60}, over 80 lines {len(long)} {long or ''}")


if __name__ == "__main__":
    main()
