"""A fault: one line of the package or of its SQL that is replaced. Found by its text, it outlives edits beside it."""

import ast
import csv
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from pathlib import Path

LIST = Path(__file__).with_name("faults.csv")
Function = ast.FunctionDef | ast.AsyncFunctionDef


class FaultIsGoneError(LookupError):
    """The line of a fault is gone, or is there twice."""


@dataclass(frozen=True)
class Fault:
    """
    A line and what it is replaced by.

    Attributes:
        number: Names the fault.
        file: Path within the checkout.
        function: Qualified name of the function that the line stands in; '' in SQL, where the file is the scope.
        kind: What is changed, such as `comparison`.
        line: The line without its indentation; it stands once in its function or file.
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
            raise FaultIsGoneError(f"fault {self.number}: {self.file} is gone. List faults anew: --list")
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
            raise FaultIsGoneError(f"fault {self.number}: {scope} has {self.line!r} {len(found)} times, expected once")
        return found[0]

    def faulted(self, checkout: Path) -> str:
        """Return the file's text with the fault; raises FaultIsGoneError."""
        lines = (checkout / self.file).read_text(encoding="utf-8").splitlines(keepends=True)
        at = self.line_no(checkout) - 1
        lines[at] = lines[at].replace(self.line, self.replacement)
        return "".join(lines)


def functions(tree: ast.AST, within: str = "") -> Iterator[tuple[str, Function]]:
    """Yield every function of a module or class by its qualified name; one within another belongs to the outer."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function):
            yield within + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from functions(node, f"{within}{node.name}.")


def read_list(path: Path = LIST) -> list[Fault]:
    """Read the faults of a list."""
    with path.open(encoding="utf-8", newline="") as rows:
        return [Fault(int(row.pop("number")), **row) for row in csv.DictReader(rows)]


def write_list(faults: list[Fault], path: Path = LIST) -> None:
    """Write a list of faults."""
    with path.open("w", encoding="utf-8", newline="") as out:
        rows = csv.DictWriter(out, [field.name for field in fields(Fault)], lineterminator="\n")
        rows.writeheader()
        rows.writerows(asdict(fault) for fault in faults)
