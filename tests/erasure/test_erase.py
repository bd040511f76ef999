"""A listener is found in every store of a finished home, and in none after the erasure."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from recsys.cli import main
from recsys.erasure.model import LISTENERS
from recsys.erasure.stores import STORES, WITHOUT_LISTENERS
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline import export
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse, tables
from tests.nights import World

TODAY = date(2026, 7, 1)
LISTENS = "user_id,track_id,listened_at\n"


def texts(path: Path) -> Iterator[str]:
    """Yield everything in a file as text, however it is stored."""
    if path.suffix == ".parquet":
        rows = pl.read_parquet(path, glob=False, hive_partitioning=False).iter_rows()
        yield from (json.dumps(row, default=str) for row in rows)
    elif path.suffix == ".duckdb":
        with Warehouse.open(path) as warehouse:
            for name in tables(warehouse).to_series():
                yield from map(str, warehouse.query(f"select * from {name}").iter_rows())
    elif path.suffix == ".npz":
        with np.load(path) as arrays:
            yield from (str(arrays[name].tolist()) for name in arrays if arrays[name].dtype.kind in "US")
    else:
        yield path.read_text(encoding="utf-8", errors="replace")


def files_that_name(home: Home, *names: str) -> list[str]:
    """Read every file of a home, and return those that contain one of the names, also in their bytes."""
    files = [path for path in sorted(home.path.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [
        str(path.relative_to(home.path))
        for path in files
        if any(name.encode() in path.read_bytes() for name in names)
        or any(name in text for text in texts(path) for name in names)
    ]


@pytest.fixture
def home(finished: Run, copy_of: Callable[[Home], Home]) -> Home:
    """A copy of the finished home."""
    return copy_of(finished.home)


@pytest.fixture
def account(home: Home, world: World) -> str:
    """An account with a list, listens and a refused row."""
    accounts: list[str] = re.findall(r'"user_id": ?"([^"]+)"', (world.raw / "users.jsonl").read_text(errors="replace"))
    key = listener_key(home.key_file)
    listed = set(pl.read_parquet(home.path / "exports" / "current" / "recommendations.parquet")["user_id"])
    name = next(account for account in accounts if pseudonym(account, key) in listed)
    bad = home.path.parent / "bad.csv"
    bad.write_text(f"{LISTENS}{name},t1,no time\n{name},,2026-06-01T10:00:00Z\nother,t1,2026-06-01T10:00:00Z\n")
    ingest(home, [bad], today=TODAY)
    return name


def recsys(home: Home, *words: str) -> str:
    """Run a command; return its output."""
    result = CliRunner().invoke(main, ["--home", str(home.path), *words], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_a_listener_is_in_every_store_and_then_in_none(home: Home, account: str, tmp_path: Path) -> None:
    """Every file is read as text and as bytes; what is held is exported first; all others keep what they had."""
    user_id = pseudonym(account, listener_key(home.key_file))
    named = files_that_name(home, user_id)
    lists = pl.read_parquet(home.path / "exports" / "current" / "recommendations.parquet")
    recsys(home, "access", account, "--out", str(tmp_path / "held.json"))
    held = json.loads((tmp_path / "held.json").read_text())
    found = {name for of_store in held.values() for name in of_store}
    models = {str(Path(name).parent) if Path(name).name == LISTENERS else name for name in named}
    assert found == models
    assert {store for store, files in held.items() if files} >= {
        "raw tables and quarantine", "runs", "tables as Parquet", "warehouses", "models", "exports", "exports as text"
    }  # fmt: skip

    output = recsys(home, "erase", account)

    assert files_that_name(home, user_id, account) == []
    assert account not in output
    assert user_id not in output
    assert "Proof: " in output
    left = pl.read_parquet(home.path / "exports" / "current" / "recommendations.parquet")
    assert_frame_equal(left, lists.filter(pl.col("user_id") != user_id))
    assert Lake(home).verify() > 0
    release = registry.current(home)
    assert release is not None
    assert release.export is not None
    assert export.validate(release.export)["n_listeners"] == lists["user_id"].n_unique() - 1
    with Warehouse.open(release.warehouse) as warehouse:
        n_listeners = warehouse.query("select count(*) from marts.listener_profile").item()
        assert n_listeners == warehouse.query("select count(distinct user_id) from marts.listener_profile").item()


@pytest.mark.slow
def test_later_deliveries_and_an_older_lake_bring_nobody_back(home: Home, account: str, tmp_path: Path) -> None:
    """Rows of the listener are left out as if they had not been read; a restored lake is erased again."""
    user_id = pseudonym(account, listener_key(home.key_file))
    shutil.copytree(home.lake, tmp_path / "backup")
    recsys(home, "erase", user_id)
    delivered = tmp_path / "later.csv"
    delivered.write_text(f"{LISTENS}{account},t1,2026-06-02T10:00:00Z\nnew,t1,2026-06-02T10:00:00Z\n")
    (batch,) = ingest(home, [delivered], today=TODAY).batches
    assert (batch.n_read, batch.n_accepted) == (1, 1)
    assert files_that_name(home, user_id, account) == []

    shutil.rmtree(home.lake)
    shutil.copytree(tmp_path / "backup", home.lake)
    assert files_that_name(home, user_id)
    recsys(home, "prune")
    assert files_that_name(home, user_id, account) == []
    assert Lake(home).verify() > 0


def test_a_listener_who_is_not_there_is_denied_all_the_same(home: Home) -> None:
    """Nothing is changed, and a later delivery leaves them out."""
    before = {path: path.stat().st_mtime_ns for path in home.path.rglob("*") if path.is_file()}
    assert "Nothing was stored of this listener" in recsys(home, "erase", "nobody@example.org")
    changed = {path.name for path, changed_at in before.items() if path.stat().st_mtime_ns != changed_at}
    assert changed <= {".lock"}


def test_every_file_of_a_home_belongs_to_a_store(home: Home) -> None:
    """A kind of file that is neither a store's nor known to have no listeners has to be added to one of them."""
    stores = {path for store in STORES for path in store.paths(home)}
    known = {path for pattern in WITHOUT_LISTENERS for path in home.path.glob(pattern)}
    files = [path for path in home.path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert [path for path in files if not {path, *path.parents} & (stores | known - set(home.path.glob("*/")))] == []
