"""
Remove rows of days that are older than the limits of the recipe ([retention]) from the lake, for good.

The first day that is kept of a table is noted before anything is removed (`Lake.keep_from`), and never becomes earlier:
builds leave earlier rows out, also those of files that are delivered again, so that the ledger of labels' figures never
counts a row twice. What is removed: whole days of accepted rows; keys of rows that were taken back on these days; and
rows in the quarantine that were refused before the first day, since few refused rows have a valid day of their own.

Each delivery is changed atomically (`Lake.change`). A removal that was interrupted is finished by the next one.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from recsys.ingest.quarantine import stored_at
from recsys.ingest.settings import RetentionSettings
from recsys.lake.store import Batch, Lake, n_rows_of


class Expired(NamedTuple):
    """
    What was removed.

    Attributes:
        kept_from: The first day that is kept, by table.
        n_rows: Removed rows of tables.
        n_refused: Removed rows of the quarantine.
    """

    kept_from: Mapping[str, date]
    n_rows: int
    n_refused: int


class _Change(NamedTuple):
    """The change of one batch: its new entry in the batch log, what is removed (paths in the lake), and the rows."""

    entry: Batch
    removed: list[str]
    n_rows: int = 0
    n_refused: int = 0


def remove_expired(lake: Lake, settings: RetentionSettings, last_day: date) -> Expired:
    """
    Remove the rows that are older than the limits.

    Args:
        lake: The lake; the caller must hold the lock of its home.
        settings: The limits. A table without one is kept from the day that earlier limits have led to.
        last_day: The last day of listening: the date of the run, but no later than today.
    """
    lake.recover()
    kept_from, made = lake.keep_from(settings.first_days(last_day)), list[_Change]()
    for name, entries in lake.deliveries().items() if kept_from else ():
        changes = [_without_expired(lake, entry, kept_from.get(entry.table)) for entry in entries]
        if removed := [path for change in changes for path in change.removed]:
            lake.change(name, [change.entry for change in changes], written={}, removed=removed)
            made += changes
    return Expired(kept_from, sum(change.n_rows for change in made), sum(change.n_refused for change in made))


def _without_expired(lake: Lake, entry: Batch, first: date | None) -> _Change:
    """Return the change of one batch whose table is kept from a day on; None keeps everything."""
    if first is None:
        return _Change(entry, [])
    days = [day for day in entry.days if date.fromisoformat(day) < first]
    gone = [f"{entry.table}/ds={day}/{entry.batch}.parquet" for day in days]
    kept = replace(
        entry,
        days=[day for day in entry.days if day not in days],
        checksums={path: sha256 for path, sha256 in entry.checksums.items() if path not in gone},
    )
    if entry.undone_on:  # its rows have left the lake; only keys of them may be there
        return _Change(kept, [key for path in gone if (lake.folder / (key := f"_undone/{path}")).exists()])
    is_refused = entry.n_quarantined > 0 and date.fromisoformat(entry.ingested_on) < first
    n_rows = sum(n_rows_of(lake.folder / path) for path in gone)
    n_refused = entry.n_quarantined if is_refused else 0
    counted = replace(
        kept,
        n_accepted=entry.n_accepted - n_rows,
        n_expired=entry.n_expired + n_rows,
        n_quarantined=entry.n_quarantined - n_refused,
        n_dropped=entry.n_dropped + n_refused,
    )
    return _Change(counted, [*gone, stored_at(entry)] if is_refused else gone, n_rows, n_refused)
