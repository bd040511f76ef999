"""Homes in the forms of older versions, made from a home of this version."""

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from recsys import files
from recsys.home import Home
from recsys.releases import registry

BATCH_0 = (
    "batch", "batch_no", "table", "source_file", "source_sha256", "ingested_on", "n_read", "n_accepted",
    "n_quarantined", "n_duplicate", "days", "members",
)  # fmt: skip
LATER_FILES = ("version.json", "lake/_listener_key", "lake/_checked.json", "lake/_erased", "erased.txt")
LATER_MARTS = (
    "column_drift", "duplicate_links", "invalid_values", "review_decisions", "review_findings", "signals_weekly",
    "source_volumes",
)  # fmt: skip


def as_version_0(home: Home) -> None:
    """Remove from a home what the last version without a file of its version did not write."""
    for name in LATER_FILES:
        files.remove(home.path / name)
    for log in (home.lake / "_ledger").glob("*.json"):
        entries = files.read_json(log)
        files.write_json(log, [{name: entry[name] for name in BATCH_0} for entry in entries])
    for name in registry.release_names(home):
        release = registry.read(home, name)
        _drop_marts(release.warehouse)
        for mart in LATER_MARTS:
            files.remove(release.marts / f"{mart}.parquet")
        files.remove(home.path / "releases" / name / registry.CHECKSUMS)


def _drop_marts(path: Path) -> None:
    with duckdb.connect(path) as connection:
        for mart in LATER_MARTS:
            connection.execute(f"drop table marts.{mart}")
            connection.execute("delete from meta.tables where name = $name", {"name": f"marts.{mart}"})


FORMS: Mapping[int, Callable[[Home], None]] = {0: as_version_0}
