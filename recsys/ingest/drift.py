"""
How the columns of a delivery differ from those of earlier deliveries of the same source and table.

Deliveries of one source have the same file name, apart from digits: `plays-2026-05-01.csv`, `plays-2026-05-02.csv`.
A new column warns once; a column that all earlier deliveries had and this one lacks, or whose values are suddenly
invalid, refuses the file, since it is more likely an accident than a decision.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

from recsys.errors import UnreadableSource
from recsys.files import short_hash
from recsys.lake.contract import CONTRACTS, Contract
from recsys.lake.store import Batch

_LEAST_INVALID = 10  # fewer invalid values may be an accident of a small file
_UNKNOWN = "#"
_REMEDY = "Nothing was ingested from it. Correct the file, or accept the change: recsys ingest --accept-schema FILE"


def recorded_columns(names: list[str], contract: Contract) -> list[str]:
    """Return the names of a file's columns for the batch log; a name without a contract may be a value: its hash."""
    return sorted(name if name in contract.names else _UNKNOWN + short_hash(name) for name in names)


def compare(path: Path, entries: list[Batch], batches: list[Batch], *, accept_schema: bool) -> list[str]:
    """
    Compare the columns of a file with those of earlier deliveries.

    Args:
        path: The file.
        entries: Its entries for the batch log.
        batches: The batches in the lake.
        accept_schema: Whether to accept a file that lacks columns or has them in another type.

    Returns:
        Warnings of new columns.

    Raises:
        UnreadableSource: A column is missing or has another type.
    """
    warnings = []
    for entry in entries:
        earlier = deliveries(batches, entry)
        if not accept_schema:
            refuse_drift(path, entry, earlier)
        warnings += new_columns(path, entry, earlier)
    return warnings


def deliveries(batches: list[Batch], entry: Batch) -> list[Batch]:
    """Return the earlier batches of an entry's source and table that have recorded columns."""
    pattern = _pattern(entry.source_file)
    return [
        batch
        for batch in batches
        if batch.columns and batch.table == entry.table and _pattern(batch.source_file) == pattern
    ]


def refuse_drift(path: Path, entry: Batch, earlier: list[Batch]) -> None:
    """
    Raise UnreadableSource if a file lacks a column that all earlier deliveries had, or has it in another type.

    Args:
        path: The file.
        entry: Its entry for the batch log.
        earlier: Earlier deliveries (`deliveries`).
    """
    if not (earlier and entry.columns):
        return
    always = set.intersection(*(set(batch.columns) for batch in earlier))
    lost = sorted(always & set(CONTRACTS[entry.table].names) - set(entry.columns))
    if lost:
        raise UnreadableSource(f"{path} lacks {_listed(lost)}, which {_described(earlier)} had. {_REMEDY}")
    before = _n_invalid([count for batch in earlier for count in batch.invalid_values])
    n_before = sum(batch.n_accepted for batch in earlier)
    now = _n_invalid(entry.invalid_values)
    retyped = [
        name
        for name in sorted(always & set(now))
        if now[name] >= _LEAST_INVALID and 2 * now[name] > entry.n_read and 2 * before[name] <= n_before
    ]
    if retyped:
        raise UnreadableSource(
            f"{path} has mostly invalid values in {_listed(retyped)}; {_described(earlier)} had valid ones. {_REMEDY}"
        )


def new_columns(path: Path, entry: Batch, earlier: list[Batch]) -> list[str]:
    """Return a warning for columns that no earlier delivery had; none without an earlier delivery."""
    known = {name for batch in earlier for name in batch.columns}
    new = [name for name in entry.columns if name not in known] if known else []
    named = [name for name in new if not name.startswith(_UNKNOWN)]
    n_ignored = len(new) - len(named)
    return [
        *([f"{path} has {_listed(named)}, which earlier deliveries did not have"] if named else []),
        *(
            [f"{path} has new columns that {entry.table} does not have ({n_ignored}); they are ignored"]
            * bool(n_ignored)
        ),
    ]


def _pattern(name: str) -> str:
    return re.sub(r"\d+", "#", name)


def _n_invalid(counts: list[dict[str, Any]]) -> Counter[str]:
    total = Counter[str]()
    for count in counts:
        total[count["column_name"]] += count["n_values"]
    return total


def _listed(names: list[str]) -> str:
    return ("the column " if len(names) == 1 else "the columns ") + ", ".join(names)


def _described(earlier: list[Batch]) -> str:
    number = "the earlier delivery" if len(earlier) == 1 else f"all {len(earlier):,} earlier deliveries"
    return f"{number} of {_pattern(earlier[0].source_file)}"
