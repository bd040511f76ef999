"""
A fault: a replacement for one line of the package or its SQL.

The line is identified by its text within a function or file, so that a fault survives edits elsewhere.
"""

import ast
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

LIST = Path(__file__).with_name("faults.csv")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class FaultIsGoneError(LookupError):
    """The line of a fault no longer exists, or exists more than once."""


@dataclass(frozen=True)
class Fault:
    """
    A line and its replacement.

    Attributes:
        number: Identifies the fault.
        file: Path within the checkout.
        function: Qualified name of the function with the line; '' in SQL, where the scope is the file.
        kind: Kind of change, such as `comparison`.
        line: The line without its indentation; unique within its function or file.
        replacement: The faulty line.
    """

    number: int
    file: str
    function: str
    kind: str
    line: str
    replacement: str

    def line_no(self, checkout: Path) -> int:
        """Return the number of the line in a checkout, from 1; raises FaultIsGoneError."""
        path = checkout / self.file
        if not path.exists():
            raise FaultIsGoneError(f"fault {self.number}: {self.file} does not exist. Choose new faults: --choose")
        lines = path.read_text(encoding="utf-8").splitlines()
        first, last = 1, len(lines)
        if self.function:
            spans = {
                name: (node.lineno, node.end_lineno or last) for name, node in functions(ast.parse(path.read_bytes()))
            }
            first, last = spans.get(self.function, (1, 0))
        found = [number for number in range(first, last + 1) if lines[number - 1].strip() == self.line]
        if len(found) != 1:
            scope = f"{self.file} {self.function}".strip()
            count = f"{len(found)} times, expected once"
            raise FaultIsGoneError(
                f"fault {self.number}: {scope} has {self.line!r} {count}. Choose new faults: --choose"
            )
        return found[0]

    def faulted(self, checkout: Path) -> str:
        """Return the text of the file with the fault applied; raises FaultIsGoneError."""
        lines = (checkout / self.file).read_text(encoding="utf-8").splitlines(keepends=True)
        index = self.line_no(checkout) - 1
        lines[index] = lines[index].replace(self.line, self.replacement)
        return "".join(lines)


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Yield the qualified name and node of every function and method; functions inside a function are part of it."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{within}{node.name}.")


def read_list(path: Path = LIST) -> list[Fault]:
    """Read a list of faults from CSV."""
    with path.open(encoding="utf-8", newline="") as rows:
        return [Fault(int(row.pop("number")), **row) for row in csv.DictReader(rows)]


def write_list(faults: list[Fault], path: Path = LIST) -> None:
    """Write a list of faults as CSV."""
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.DictWriter(out, [field.name for field in fields(Fault)], lineterminator="\n")
        rows.writeheader()
        rows.writerows(asdict(fault) for fault in faults)
