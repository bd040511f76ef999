"""The proof of an erasure: what was removed from each store, and that nothing is left, without the listener's id."""

from collections.abc import Sequence
from datetime import date
from itertools import count
from pathlib import Path

from recsys import files
from recsys.erasure.erase import Erased
from recsys.home import Home

_NOT_COVERED = """
Not covered: source files outside of the home's stores (the inbox among them), backups made before, exports that were
copied elsewhere. Figures of many listeners stay as they were published: closed lines of labels' figures, metrics, and
what models have learned from all listeners together until they are fitted again. Later deliveries and restored backups
cannot bring the listener back, as long as the newest erased.txt is kept.
"""


def write_report(home: Home, erased: Sequence[Erased], today: date) -> Path:
    """Write the proof to `<home>/reports/erasure/<date>-<number>.md`; return its path."""
    folder = home.path / "reports" / "erasure"
    path = next(found for n in count(1) if not (found := folder / f"{today}-{n}.md").exists())
    lines = [f"| {found.store} | {found.n_files:,} | {found.n_rows:,} | {found.n_left:,} |" for found in erased]
    head = [f"# Erasure of one listener, {today}", "", "| store | files | rows | left |", "|---|---:|---:|---:|"]
    files.write_text(path, "\n".join([*head, *lines, _NOT_COVERED]))
    return path
