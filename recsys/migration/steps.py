"""
The steps of migrations, by the version that they start from: functions of the home and of `keep`, in order.

`keep` copies a file to the backup; a step calls it with each file that it is about to change. To change the form of a
home, raise `recsys.home.VERSION`, and add the step from the former version here.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from recsys import files
from recsys.errors import SetupError
from recsys.home import Home
from recsys.lake import checksums
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.pipeline.publication import settle_ledger
from recsys.releases import registry
from recsys.warehouse.build import add_missing_marts, missing_marts
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

Keep = Callable[[Path], None]
Step = Callable[[Home, Keep], None]


def note_checksums(home: Home, keep: Keep) -> None:
    """Note the SHA-256 of each file of the lake in the batch log; raises SetupError if rows are missing."""
    lake = Lake(home)
    lake.recover()
    lake.verify()
    paths: defaultdict[str, list[Path]] = defaultdict(list)
    for path in sorted(home.lake.glob("*/ds=*/*.parquet")):
        paths[path.stem].append(path)
    for log in sorted((home.lake / "_ledger").glob("*.json")):
        entries = files.read_json(log)
        noted = [entry | {"checksums": _checksums(entry, paths[entry["batch"]])} for entry in entries]
        if noted != entries:
            keep(log)
            files.write_json(log, noted)


def _checksums(entry: Mapping[str, Any], paths: Sequence[Path]) -> dict[str, str]:
    """Return the checksums of the files of a batch: those that its entry has, and those of its other files."""
    known: dict[str, str] = entry.get("checksums", {})
    unknown = [path for path in paths if checksums.name_in_lake(path) not in known]
    return known | {checksums.name_in_lake(path): files.sha256_of(path) for path in unknown}


def publish_missing_marts(home: Home, _keep: Keep) -> None:
    """
    Publish the current release again with the marts that it lacks, as far as they have no rows without a nightly run.

    So commands that read them work before the next build, which makes all others. The former release stays.
    """
    current, release = registry.current_name(home), registry.current(home)
    if current is None or release is None or not _lacks_marts(release.warehouse):
        return
    settle_ledger(home)
    name = registry.free_name(home, f"{current}-migrated")
    warehouse = home.path / "warehouse" / f"{name}.duckdb"

    def fill(partial: Path) -> None:
        files.copy_database(release.warehouse, partial)
        add_missing_marts(partial, result_tables())

    files.write_atomically(warehouse, fill)
    registry.publish(home, name, replace(release, warehouse=warehouse))


def _lacks_marts(path: Path) -> bool:
    """Return whether a warehouse lacks marts that can be added; not if it cannot be opened: the next build makes it."""
    try:
        with Warehouse.open(path) as warehouse:
            existing = warehouse.query(internal_sql("stored_tables")).rows()
            return bool(missing_marts(map(".".join, existing), result_tables()))
    except SetupError:
        return False


MIGRATIONS: Mapping[int, Sequence[Step]] = {
    0: (note_checksums, publish_missing_marts),
}
