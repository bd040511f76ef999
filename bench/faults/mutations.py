"""
Find the faults that a line can have, and choose some of them at random over `recsys/` and `sql/`.

A function or SQL file gets at most one fault, with a probability in proportion to its lines of code. Code that tests
need not cover gets none: messages, logging, type hints, docstrings, seeds, time limits and chunk sizes. A Python file
with a fault still parses, and SQL with a fault still binds.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import polars as pl

from bench.faults.fault import Fault, functions
from recsys.lake.contract import CONTRACTS, QUARANTINE
from recsys.lake.store import Batch
from recsys.pipeline.plan import results
from recsys.warehouse.build import tables_of_batches
from recsys.warehouse.sqlfile import SqlFile, read_internal, read_layers, read_queries

OPERATORS: dict[type[ast.AST], tuple[str, str, str]] = {
    ast.Lt: ("comparison", "<", "<="),
    ast.LtE: ("comparison", "<=", "<"),
    ast.Gt: ("comparison", ">", ">="),
    ast.GtE: ("comparison", ">=", ">"),
    ast.Eq: ("equality", "==", "!="),
    ast.NotEq: ("equality", "!=", "=="),
    ast.Is: ("equality", "is", "is not"),
    ast.IsNot: ("equality", "is not", "is"),
    ast.In: ("equality", "in", "not in"),
    ast.NotIn: ("equality", "not in", "in"),
    ast.Add: ("arithmetic", "+", "-"),
    ast.Sub: ("arithmetic", "-", "+"),
    ast.Mult: ("arithmetic", "*", "/"),
    ast.Div: ("arithmetic", "/", "*"),
    ast.BitAnd: ("logic", "&", "|"),
    ast.And: ("logic", "and", "or"),
    ast.Or: ("logic", "or", "and"),
}
SWAPS = {"min": "max", "max": "min", "sum": "mean", "mean": "sum", "any": "all", "all": "any", "floor": "ceil"}
SWAPS |= {"ceil": "floor", "head": "tail", "first": "last", "last": "first", "argmax": "argmin", "n_unique": "len"}
DROPPED = {"sort", "unique", "abs", "fill_null", "drop_nulls", "fill_nan", "lower", "strip"}
SILENT_CALLS = re.compile(r"^(log|logger|_log|logging|warnings|click|print|progress|console)\b|\.(echo|print)$")
MODULES = {"np", "pl", "torch", "math"}
SILENT_KEYWORDS = re.compile(
    r"seed|strict|exist_ok|parents|missing_ok|glob|check|n_jobs|chunk|timeout|limit|width|dpi|keepdims|return_|named"
)
SILENT_LINES = re.compile(r"timeout|limit_s|seed|rng|thread|chunk|memory|progress|noqa|help=")
SQL_SWAPS = (
    ("comparison", r">=", ">"),
    ("comparison", r"<=", "<"),
    ("comparison", r"(?<![<>=-])>(?![=>])", ">="),
    ("comparison", r"(?<![<>=])<(?![=>])", "<="),
    ("equality", r"(?<=\w) = (?=\S)", " != "),
    ("equality", r"\bis null\b", "is not null"),
    ("equality", r"\bis not null\b", "is null"),
    ("call", r"\bsum\(", "max("),
    ("call", r"\bmax\(", "min("),
    ("call", r"\bmin\(", "max("),
    ("call", r"\bavg\(", "max("),
    ("call", r"\bcount\(distinct ", "count("),
    ("join", r"\bleft join\b", "inner join"),
    ("join", r"\binner join\b", "left join"),
    ("logic", r"\band\b", "or"),
    ("logic", r"\bor\b", "and"),
    ("order", r"\bdesc\b", "asc"),
    ("order", r"\basc\b", "desc"),
    ("arithmetic", r" \+ ", " - "),
    ("arithmetic", r" - ", " + "),
    ("arithmetic", r" \* ", " / "),
    ("arithmetic", r" / ", " * "),
    ("dropped", r"\bcoalesce\(([\w.]+), [^()]+\)", r"\1"),
    ("dropped", r"\bselect distinct\b", "select"),
    ("dropped", r"\bnot ", ""),
    ("constant", r"(?<![\w.$'-])\d+(?![\w.'-])", None),
)
BREAKS = (duckdb.BinderException, duckdb.CatalogException, duckdb.ParserException)


class Site(NamedTuple):
    """A possible fault: the bytes from `start` to `end` of a line (number from 1) are replaced by `text`."""

    kind: str
    line_no: int
    start: int
    end: int
    text: str


Scope = tuple[list[Fault], int]  # the possible faults of a function or SQL file, and its lines of code


def choose_faults(checkout: Path, n: int, seed: int) -> list[Fault]:
    """Choose at most n faults: a function or SQL file by its lines of code, then a kind of fault, then a line."""
    rng = np.random.default_rng(seed)
    scopes, weights = zip(*(*_python_scopes(checkout), *_sql_scopes(checkout)), strict=True)
    shares = np.asarray(weights) / sum(weights)
    faults: list[Fault] = []
    for index in rng.choice(len(scopes), len(scopes), replace=False, p=shares):
        candidates = scopes[index]
        while candidates and len(faults) < n:
            kinds = sorted({fault.kind for fault in candidates})
            kind = kinds[rng.integers(len(kinds))]
            of_kind = [fault for fault in candidates if fault.kind == kind]
            fault = of_kind[rng.integers(len(of_kind))]
            if _parses(fault, checkout) if fault.function else _binds(fault, checkout):
                faults.append(fault)
                break
            candidates.remove(fault)
    ordered = sorted(faults, key=lambda fault: (fault.file, fault.function))
    return [Fault(**asdict(fault) | {"number": number}) for number, fault in enumerate(ordered, start=1)]


def _python_scopes(checkout: Path) -> Iterator[Scope]:
    for path in sorted((checkout / "recsys").rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        for name, function in functions(ast.parse(text)):
            scope = lines[function.lineno - 1 : function.end_lineno]
            doc = ast.get_docstring(function, clean=False) or ""
            n_code = sum(bool(line.strip()) for line in scope) - len(doc.splitlines())
            file = path.relative_to(checkout).as_posix()
            candidates = (_fault(file, name, lines[site.line_no - 1], site, scope) for site in _sites(function, lines))
            yield [fault for fault in candidates if fault], max(1, n_code)


def _fault(file: str, function: str, line: str, site: Site, scope: list[str]) -> Fault | None:
    """Return the fault, None if its line is not unique in its scope or tests need not cover it."""
    replaced = (line.encode()[: site.start] + site.text.encode() + line.encode()[site.end :]).decode()
    if sum(other.strip() == line.strip() for other in scope) != 1 or SILENT_LINES.search(line):
        return None
    return Fault(0, file, function, site.kind, line.strip(), replaced.strip())


def _parses(fault: Fault, checkout: Path) -> bool:
    try:
        ast.parse(fault.faulted(checkout))
    except SyntaxError:
        return False
    return True


def _sites(node: ast.AST, lines: list[str]) -> Iterator[Site]:
    """Yield the possible faults of a function, without messages and logging."""
    for child in _code(node):
        yield from _sites(child, lines)
    yield from _operators(node, lines)
    yield from _constants(node)
    yield from _calls(node)


def _operators(node: ast.AST, lines: list[str]) -> Iterator[Site]:
    match node:
        case ast.Compare(left, [operator], [right]) | ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
            if not _is_text(left) and not _is_text(right):
                yield from _between(left, right, OPERATORS[type(operator)], lines)
        case ast.BoolOp(operator, values):
            for left, right in pairwise(values):
                yield from _between(left, right, OPERATORS[type(operator)], lines)
        case ast.UnaryOp(ast.Not(), operand) if node.lineno == operand.lineno:
            yield Site("not", node.lineno, node.col_offset, operand.col_offset, "")


def _constants(node: ast.AST) -> Iterator[Site]:
    match node:
        case ast.Constant(bool(value)):
            yield _replacement("boolean", node, str(not value))
        case ast.Constant(int(value)) if value < 1000:
            yield _replacement("constant", node, str(value + 1))
        case ast.keyword("axis" | "dim", ast.Constant(0 | 1 as axis)):
            yield _replacement("axis", node.value, str(1 - axis))
        case ast.keyword("how", ast.Constant("left" | "inner" as how)):
            yield _replacement("join", node.value, '"inner"' if how == "left" else '"left"')


def _calls(node: ast.AST) -> Iterator[Site]:
    match node:
        case ast.Call(ast.Name(name) | ast.Attribute(_, name)) if name in SWAPS:
            if not (isinstance(node.func, ast.Name) and SWAPS[name] == "mean"):
                end = node.func.end_col_offset or 0
                yield Site("call", node.func.end_lineno or 0, end - len(name), end, SWAPS[name])
        case ast.Call(ast.Attribute(value, name)) if name in DROPPED and value.end_lineno == node.end_lineno:
            if ast.unparse(value) not in MODULES:
                yield Site("dropped", node.end_lineno or 0, value.end_col_offset or 0, node.end_col_offset or 0, "")
        case ast.Call(ast.Name("sorted"), [_]) if not node.keywords:
            yield _replacement("dropped", node.func, "list")


def _replacement(kind: str, node: ast.expr, text: str) -> Site:
    return Site(kind, node.lineno, node.col_offset, node.end_col_offset or 0, text)


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the children of a node whose computation tests should cover."""
    for name, field in ast.iter_fields(node):
        if name in {"annotation", "returns", "decorator_list"}:
            continue
        for child in field if isinstance(field, list) else [field]:
            if isinstance(child, ast.JoinedStr | ast.Raise | ast.Assert):
                continue
            if isinstance(node, ast.keyword) and node.arg in {"axis", "dim"}:
                continue
            if isinstance(child, ast.keyword) and SILENT_KEYWORDS.search(child.arg or ""):
                continue
            if isinstance(child, ast.Subscript) and ast.unparse(child.value).endswith(".shape"):
                continue
            if isinstance(child, ast.Call) and SILENT_CALLS.search(ast.unparse(child.func)):
                continue
            if isinstance(child, ast.AST):
                yield child


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _between(left: ast.expr, right: ast.expr, operator: tuple[str, str, str], lines: list[str]) -> Iterator[Site]:
    if left.end_lineno == right.lineno:
        kind, old, new = operator
        start, end = left.end_col_offset or 0, right.col_offset
        gap = lines[right.lineno - 1].encode()[start:end].decode()
        yield Site(kind, right.lineno, start, end, gap.replace(old, new, 1))


def _sql_scopes(checkout: Path) -> Iterator[Scope]:
    for path in sorted((checkout / "sql").rglob("*.sql")):
        scope = [line for line in path.read_text(encoding="utf-8").splitlines() if not line.startswith("--")]
        file = path.relative_to(checkout).as_posix()
        sites = ((line, site) for line in scope for site in _sql_sites(line))
        yield [fault for line, site in sites if (fault := _fault(file, "", line, site, scope))], len(scope)


def _sql_sites(line: str) -> Iterator[Site]:
    for kind, pattern, replacement in SQL_SWAPS:
        for found in re.finditer(pattern, line):
            if line[: found.start()].count("'") % 2:
                continue
            text = str(int(found[0]) + 1) if replacement is None else found.expand(replacement)
            start = len(line[: found.start()].encode())
            yield Site(kind, 0, start, start + len(found[0].encode()), text)


def _binds(fault: Fault, checkout: Path) -> bool:
    """Check whether SQL with the fault can still be planned on an empty warehouse."""
    path, (_, layer, *_) = Path(fault.file), Path(fault.file).parts
    query = "\n".join(line for line in fault.faulted(checkout).splitlines() if not line.startswith("--"))
    with duckdb.connect() as connection:
        layers = read_layers(checkout / "sql")
        _fill_raw(connection)
        for schema in ("staging", "intermediate", "marts"):
            connection.execute(f"create schema {schema}")
        for name, file in layers.items():
            connection.execute(f"create view {name} as {file.query}")
        queries = {f"queries.{name}": file for name, file in read_queries(checkout / "sql").items()}
        queries |= read_internal(checkout / "sql")
        params = _params(queries[name]) if (name := f"{layer}.{path.stem}") in queries else {}
        try:
            connection.execute(f"explain {query}", params or None)
        except BREAKS:
            return False
        except duckdb.Error:  # an empty parameter does not convert to a date, which happens after binding
            return True
    return True


def _params(query: SqlFile) -> dict[str, str]:
    return {name: doc.default or "" for name, doc in query.params.items()}


def _fill_raw(connection: duckdb.DuckDBPyConnection) -> None:
    """Create the raw tables, empty, as the warehouse builder does."""
    frames: dict[str, pl.DataFrame] = {
        contract.table: pl.DataFrame(schema={**contract.schema, "ds": pl.Date()}) for contract in CONTRACTS.values()
    }
    frames |= {name: pl.DataFrame(schema=result.schema) for name, result in results().items()}
    batch = Batch("", 1, "", "", "", "2026-01-01", 0, 0, 0, 0, ["2026-01-01"], [""], columns=[""])
    frames |= {"quarantine": pl.DataFrame(schema=QUARANTINE), **tables_of_batches([batch])}
    connection.execute("create schema raw")
    for name, frame in frames.items():
        connection.register("incoming", frame.to_arrow())
        connection.execute(f"create table raw.{name} as select * from incoming")
        connection.unregister("incoming")
