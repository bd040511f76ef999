"""Check that the machine, the home and its data are ready for a run, and suggest a fix for each failed check."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from recsys.errors import InputError, RecsysError, SetupError
from recsys.home import VERSION, Home
from recsys.ingest.pseudonym import check_listener_key, fingerprint, listener_key
from recsys.lake.store import Lake
from recsys.ledger.store import Ledger
from recsys.pipeline import export
from recsys.recommenders.base import Recommender
from recsys.releases import registry
from recsys.releases.release import Release
from recsys.search import stored_index
from recsys.state.store import State
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.query import Warehouse, tables
from recsys.warehouse.sqlfile import read_layers

_GIB = 1024**3
_NEEDED_GIB = 5
_RESTORE = "Restore the home from a backup, or remove the damaged file and run: recsys nightly"
_PACKAGES = ("duckdb", "polars", "implicit", "rectools-lightfm", "pyarrow", "sqlglot")


@dataclass(frozen=True)
class Check:
    """
    The result of one check.

    Attributes:
        name: What was checked.
        is_ok: Whether the check passed.
        found: What was found.
        fix: What to do if the check failed.
    """

    name: str
    is_ok: bool
    found: str
    fix: str = ""


def run_checks(home: Home) -> Iterator[Check]:
    """Check the machine, packages, SQL files, home and release; yield the result of each check."""
    python = ".".join(map(str, sys.version_info[:3]))
    yield Check("python", sys.version_info >= (3, 11), python, "install Python 3.11 or newer")
    yield from (_package(name) for name in _PACKAGES)
    free = shutil.disk_usage(_nearest(home)).free / _GIB
    yield Check(
        "disk", free >= _NEEDED_GIB, f"{free:.0f} GiB free", f"free {_NEEDED_GIB} GiB, or choose another --home"
    )
    writable = os.access(_nearest(home), os.W_OK)
    yield Check("home", writable, str(home.path), f"make {home.path} writable")
    yield _try("sql", lambda: f"{_n_sql_files()} files, all portable to Spark")
    if not home.path.exists():
        yield Check("data", False, "no home yet", "recsys ingest FILES, or recsys demo")
        return
    yield _try("version", lambda: _version(home))
    if home.version > VERSION:
        return
    yield _try("listener key", lambda: _listener_key(home))
    yield _try("lake", lambda: _lake(home))
    yield _try("retention", lambda: _retention(Lake(home)))
    yield _try("lake files", lambda: f"{Lake(home).verify():,} match the batch log and its checksums")
    yield _try("dashboards' state", State(home).check)
    yield _try("label figures", lambda: f"{Ledger(home).read().figures.height:,} lines, none missing or changed")
    yield from _release(home)


def _package(name: str) -> Check:
    try:
        return Check(name, True, version(name))
    except PackageNotFoundError:
        return Check(name, False, "not installed", f"pip install {name}")


def _nearest(home: Home) -> str:
    existing = (path for path in (home.path.absolute(), *home.path.absolute().parents) if path.exists())
    return str(next(existing))


def _n_sql_files() -> int:
    layers = read_layers()
    for file in layers.values():
        refuse_unportable(file)
    return len(layers)


def _try(name: str, check: Callable[[], str]) -> Check:
    """Run one check; whatever it raises is a finding, so that the checks after it still run."""
    try:
        return Check(name, True, check())
    except RecsysError as error:
        return Check(name, False, type(error).__name__, str(error))
    except Exception as error:  # noqa: BLE001 - a damaged home may raise anything, and must be examined to the end
        return Check(name, False, f"{type(error).__name__}: {error}", _RESTORE)


def _version(home: Home) -> str:
    home.refuse_newer()
    if home.version < VERSION:
        return f"{home.version}; the next command that writes, such as recsys build, migrates the home to {VERSION}"
    return str(home.version)


def _listener_key(home: Home) -> str:
    key = listener_key(home.key_file)
    if not home.key_fingerprint.exists():
        return f"{len(key)} bytes, readable by its owner only; its fingerprint is kept from the next ingest on"
    check_listener_key(key, home.key_fingerprint, is_new=False)
    return f"{len(key)} bytes, readable by its owner only, fingerprint {fingerprint(key)}"


def _lake(home: Home) -> str:
    lake = Lake(home)
    listens = [batch for batch in lake.batches() if batch.table == "listens"]
    days = sorted(day for batch in listens for day in batch.days)
    if not days:
        raise InputError("There are no listens yet: recsys ingest FILES, or recsys demo")
    return f"{sum(batch.n_accepted for batch in listens):,} listens, {days[0]} to {days[-1]} ({lake.zone.key})"


def _retention(lake: Lake) -> str:
    kept_from = lake.kept_from()
    if not kept_from:
        return "no limits: all rows are kept"
    n_older = sum(
        entry.table in kept_from and date.fromisoformat(day) < kept_from[entry.table]
        for entry in lake.batches()
        for day in entry.days
    )
    waiting = f"; {n_older:,} older files are removed by the next recsys build or nightly run" if n_older else ""
    return ", ".join(f"{table} from {day}" for table, day in sorted(kept_from.items())) + waiting


def _release(home: Home) -> Iterator[Check]:
    name = registry.current_name(home)
    if name is None:
        yield Check("release", False, *_no_release(home))
        return
    yield _try("release", lambda: _files_of(home, name))
    release = registry.read(home, name)
    yield _try("champion", lambda: _model(release))
    yield _try("warehouse", lambda: _warehouse(release))
    for index in release.indexes():
        yield _try(f"index {index.link}", partial(_index, index.folder))
    if (folder := release.export) is not None:
        yield _try("export", lambda: f"{len(export.validate(folder)['files'])} files match the manifest")


def _no_release(home: Home) -> tuple[str, str]:
    """Say that nothing is current, and how to change that: by a rollback if there are releases on disk."""
    if names := registry.release_names(home):
        return "the link to the current release is lost or broken", f"recsys rollback {names[-1]}"
    return "nothing published yet", "recsys nightly"


def _files_of(home: Home, name: str) -> str:
    if (changed := registry.damaged_file(home, name)) is not None:
        raise SetupError(f"{changed} is missing or has changed. Build it again (recsys build), or: recsys rollback RUN")
    if not (home.path / "releases" / name / registry.CHECKSUMS).exists():
        return f"{name}, of a version without checksums"
    return f"{name}, its tables match their checksums"


def _model(release: Release) -> str:
    if release.model is None:
        return "none yet"
    return f"{Recommender.load(release.model).scorer.name}, its weights match their checksums"


def _warehouse(release: Release) -> str:
    with Warehouse.open(release.warehouse) as warehouse:
        return f"{tables(warehouse).height} tables"


def _index(folder: Path) -> str:
    return f"{len(stored_index.load(folder, 'vectors')['ids']):,} entries match their checksums"
