"""Check that the machine, the home and its data are ready for a run, and suggest a fix for each failed check."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from recsys.errors import RecsysError
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key
from recsys.lake.store import Lake
from recsys.ledger.store import Ledger
from recsys.pipeline import export
from recsys.releases import registry
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.query import Warehouse, tables
from recsys.warehouse.sqlfile import read_layers

_GIB = 1024**3
_NEEDED_GIB = 5
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
    yield _try("listener key", lambda: f"{len(listener_key(home.key_file))} bytes, readable by its owner only")
    yield _lake(home)
    yield _try("lake files", lambda: f"{Lake(home).verify():,} match the batch log")
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
    try:
        return Check(name, True, check())
    except RecsysError as error:
        return Check(name, False, type(error).__name__, str(error))


def _lake(home: Home) -> Check:
    lake = Lake(home)
    batches = lake.batches()
    days = sorted(day for batch in batches if batch.table == "listens" for day in batch.days)
    n_listens = sum(batch.n_accepted for batch in batches if batch.table == "listens")
    found = f"{n_listens:,} listens, {days[0]} to {days[-1]} ({lake.zone.key})" if days else "no listens"
    return Check("lake", bool(days), found, "recsys ingest FILES, or recsys demo")


def _release(home: Home) -> Iterator[Check]:
    release = registry.current(home)
    if release is None:
        yield Check("release", False, "nothing published yet", "recsys nightly")
        return
    yield _try("champion", lambda: str((registry.champion(home) or {"name": "none yet"})["name"]))
    yield _try("warehouse", lambda: f"{tables(Warehouse.open(release.warehouse)).height} tables")
    if release.export is not None:
        folder = release.export
        yield _try("export", lambda: f"{len(export.validate(folder)['files'])} files match the manifest")
