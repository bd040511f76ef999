"""Lists of another recommender: their contract, what is counted, and the gate that judges them like a model's."""

from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.erasure.stores import STORES
from recsys.errors import InputError
from recsys.experiments import foreign_lists
from recsys.experiments.foreign_lists import import_lists
from recsys.home import Home
from recsys.ingest.pseudonym import pseudonyms

UNTIL = date(2026, 6, 16)
KEY = b"k" * 32
ACCOUNTS = [f"account{n}@example.org" for n in range(25)]
LISTENERS = pseudonyms(ACCOUNTS, KEY)
TRACKS = ["t1", "t2", "t3"]
KNOWN = {
    "as_of": pl.DataFrame({"as_of": [UNTIL + timedelta(days=14)]}),
    "listeners": pl.DataFrame({"user_id": LISTENERS}),
    "track_ids": pl.DataFrame({"track_id": TRACKS}),
    "heard_by": pl.DataFrame({"track_id": ["t1", "t2"]}),
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Return a home of 25 listeners and three tracks, one of which is unheard; its key is known."""
    home = Home(tmp_path / "home")
    home.path.mkdir()
    home.key_file.write_bytes(KEY)
    home.key_file.chmod(0o600)
    home.warehouse.parent.mkdir()
    home.warehouse.touch()

    class Stub:
        """A warehouse that answers four queries."""

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None: ...

        def query(self, name: str, _params: object = None) -> pl.DataFrame:
            return KNOWN[name]

    monkeypatch.setattr(foreign_lists, "internal_sql", lambda name: name)
    monkeypatch.setattr(foreign_lists, "Warehouse", SimpleNamespace(open=lambda _path: Stub()))
    return home


def rows_of(user_ids: list[str], tracks: list[str] = TRACKS) -> list[dict[str, Any]]:
    """Return a list of the tracks, in their order, for each listener."""
    pairs = [(user, track, rank) for user in user_ids for rank, track in enumerate(tracks, start=1)]
    return [{"user_id": user, "track_id": track, "rank": rank} for user, track, rank in pairs]


def written(folder: Path, rows: list[dict[str, Any]]) -> Path:
    """Write rows as Parquet."""
    pl.DataFrame(rows, infer_schema_length=None).write_parquet(folder / "lists.parquet")
    return folder / "lists.parquet"


def test_accounts_become_pseudonyms_and_unknown_ids_are_counted(home: Home, tmp_path: Path) -> None:
    """Half of the listeners by account, half by pseudonym; strangers and unknown tracks are left out, not refused."""
    ids = [*ACCOUNTS[:12], *LISTENERS[12:], "stranger"]
    path = written(tmp_path, rows_of(ids, ["t3", "nowhere", "t1"]))

    found = import_lists(home, path, "other", UNTIL)

    stored = pl.read_parquet(home.path / "lists" / "other" / "2026-06-16.parquet")
    assert set(stored["user_id"]) == set(LISTENERS)
    assert stored.filter(user_id=LISTENERS[3]).sort("rank").rows() == [(LISTENERS[3], "t3", 1), (LISTENERS[3], "t1", 3)]
    assert (found.n_listeners, found.n_rows, found.n_unknown_listeners, found.n_unknown_tracks) == (25, 50, 1, 1)
    assert found.n_unheard_tracks == 1
    assert b"@example.org" not in (found.folder / "2026-06-16.parquet").read_bytes()


def test_scores_are_ranked_per_listener(home: Home, tmp_path: Path) -> None:
    """The highest score comes first, of equal ones the earlier row."""
    scores = {"t1": 0.5, "t2": 3.0, "t3": 0.5}
    rows = [{"user_id": user, "track_id": track, "score": scores[track]} for user in LISTENERS for track in TRACKS]

    found = import_lists(home, written(tmp_path, rows), "other", UNTIL)

    stored = pl.read_parquet(found.folder / f"{UNTIL}.parquet")
    expected = {"t2": 1, "t1": 2, "t3": 3}
    assert all(dict(of.select("track_id", "rank").rows()) == expected for _, of in stored.group_by("user_id"))


def changed(row: int, **values: object) -> list[dict[str, Any]]:
    """Return lists of all listeners with other values in one row, counted from 1."""
    rows = rows_of(LISTENERS)
    rows[row - 1] |= values
    return rows


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (changed(7, rank=0), "invalid rank in 1 rows, first in row 7; expected a whole number from 1"),
        (changed(7, rank=None), "invalid rank in 1 rows, first in row 7"),
        (changed(5, rank=1), "invalid rank in 2 rows, first in row 4; expected each rank once per listener"),
        (changed(6, track_id="t1"), "invalid track_id in 2 rows, first in row 4; expected each track once"),
        (changed(2, track_id=None), "found no track_id in 1 rows"),
        (changed(4, user_id=ACCOUNTS[0], track_id="t9"), "first in row 1; expected each listener under one id"),
        (rows_of(LISTENERS[:19]), "found 19 listeners of this home .* among 19, expected at least 20"),
        (rows_of(["x", *LISTENERS[:3]]), "found 3 listeners of this home .* among 4, expected at least 20"),
        ([{"user_id": "a", "track_id": "b"}], "expected rank .* or score"),
    ],
)
def test_a_broken_contract_is_refused_with_the_row(
    home: Home, tmp_path: Path, rows: list[dict[str, Any]], message: str
) -> None:
    """The message names the file, the first row, and what was expected; nothing is stored."""
    with pytest.raises(InputError, match=message):
        import_lists(home, written(tmp_path, rows), "other", UNTIL)

    assert not home.lists.exists()


def test_lists_are_never_replaced_and_end_within_the_data(home: Home, tmp_path: Path) -> None:
    """A run is a function of its recipe, which names them; later days than the release has are no lists of the past."""
    path = written(tmp_path, rows_of(LISTENERS))
    import_lists(home, path, "other", UNTIL)

    with pytest.raises(InputError, match="There are lists of other up to 2026-06-16 already"):
        import_lists(home, path, "other", UNTIL)
    with pytest.raises(InputError, match="expected a day up to 2026-06-30"):
        import_lists(home, path, "other", UNTIL + timedelta(days=15))
    with pytest.raises(InputError, match="expected letters"):
        import_lists(home, path, "../other", UNTIL)


def test_an_erased_listener_leaves_the_lists(home: Home, tmp_path: Path) -> None:
    """The lists are among the stores of a home from which erasure removes rows."""
    import_lists(home, written(tmp_path, rows_of(LISTENERS)), "other", UNTIL)
    ((store, path),) = [(store, path) for store in STORES for path in store.paths(home) if path.parent.name == "other"]

    store.reader.copy_without(path, tmp_path / "after.parquet", LISTENERS[:1])

    assert set(pl.read_parquet(tmp_path / "after.parquet")["user_id"]) == set(LISTENERS[1:])


def test_the_command_prints_the_section_of_a_recipe(home: Home, tmp_path: Path) -> None:
    """With the folder that the recommender reads."""
    path = str(written(tmp_path, rows_of(LISTENERS)))
    words = ["--home", str(home.path), "lists", "import", path, "--name", "other", "--until", str(UNTIL)]

    shown = CliRunner().invoke(main, words)

    assert shown.exit_code == 0, shown.output
    assert f'[recommenders.imported]\nlists = "{home.path / "lists" / "other"}"' in shown.stdout
    assert "75 rows of 25 listeners" in shown.stdout
