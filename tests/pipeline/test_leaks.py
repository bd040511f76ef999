"""What can be learned from a label's own warehouse file: attacks on the files of a run, compared with the truth."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import polars as pl
import pytest
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

from recsys.errors import InputError
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse, run_query
from recsys.warehouse.sqlfile import LabelRules, SqlFile, read_layers, read_queries

MARTS = {name: file for name, file in read_layers().items() if file.label_rules}
N_ATTACKED = 25  # withheld cells that are attacked in one artist
UNBOUNDED = 3  # what linprog calls it


@dataclass(frozen=True)
class Theft:
    """A label, its opened file, the whole warehouse, and the ids of all other labels."""

    label_id: str
    own: Warehouse
    whole: Warehouse
    others: frozenset[str]


@pytest.fixture(scope="module")
def theft(finished: Run) -> Iterator[Theft]:
    """The label with most recordings, and the ids that it should not see."""
    with Warehouse.open(finished.home.published_warehouse()) as whole:
        label_id = whole.query("select mode(label_id) as label_id from marts.track_features").item()
        others = whole.query(
            """
            with catalogue as (select label_id, artist_id, track_id from marts.track_features),
            mine as (select artist_id from catalogue where label_id = $label_id)
            select distinct unnest([label_id, artist_id, track_id]) as id from catalogue
            where label_id <> $label_id and artist_id not in (select artist_id from mine where artist_id is not null)
            union select user_id from marts.listener_profile
            """,
            {"label_id": label_id},
        )["id"]
        with Warehouse.open(registry.label_warehouse(finished.home, label_id)) as own:
            yield Theft(label_id, own, whole, frozenset(others.drop_nulls()))


def texts(frame: pl.DataFrame) -> set[object]:
    """Every text in a frame."""
    return {value for column in frame.select(pl.col(pl.String)).iter_columns() for value in column}


@pytest.mark.parametrize("mart", MARTS)
def test_a_file_names_nothing_of_others(theft: Theft, mart: str) -> None:
    """No table holds another label's recordings or artists, or a listener."""
    found = texts(theft.own.query(f"select * from {mart}"))

    assert not found & theft.others


@pytest.mark.parametrize("name", read_queries())
def test_no_query_finds_what_is_others(theft: Theft, name: str) -> None:
    """Queries for another label's ids return no rows, or fail because the file lacks the table."""
    needed = {param: "" for param, doc in read_queries()[name].params.items() if doc.default is None}
    names = [*needed, *(param for param in read_queries()[name].params if param.endswith(("_id", "label", "artist")))]
    stolen = [dict.fromkeys(names, other) for other in sorted(theft.others)[:: max(1, len(theft.others) // 12)]]

    for params in (needed, *stolen):
        try:
            found = texts(run_query(theft.own, name, params))
        except InputError as refused:
            assert "does not exist" in str(refused) or "ould not convert" in str(refused)  # noqa: PT017
        else:
            assert not (found - set(params.values())) & theft.others


def _truth(theft: Theft, file: SqlFile, rules: LabelRules) -> pl.DataFrame:
    """Every row of the label with its true number of listeners, and whether the file shows it."""
    kept = ", ".join(f'"{column}"' for column in (*file.grain, rules.people))
    owned = theft.own.query("select track_id as id from marts.track_features")["id"].to_list()
    if rules.owner == "artist_id":
        owned = theft.own.query("select artist_id from marts.artist_profile")["artist_id"].to_list()
    mine = f"list_contains($ids, {rules.owner})"
    whole = theft.whole.query(f"select {kept} from {file.name} where {mine}", {"ids": owned})
    shown = theft.own.query(f"select {kept} from {file.name} where {rules.people} is not null")
    return whole.join(shown, on=file.grain, how="left", suffix="_shown", maintain_order="left")


@pytest.mark.parametrize("mart", [name for name, file in MARTS.items() if file.label_rules and file.label_rules.people])
def test_no_figure_is_about_fewer_than_ten(theft: Theft, mart: str) -> None:
    """What is hidden of every sum is at least two rows and about ten listeners, or the whole sum."""
    file, rules = MARTS[mart], MARTS[mart].label_rules
    assert rules is not None
    rows = _truth(theft, file, rules).rename({rules.people: "n", f"{rules.people}_shown": "shown"})

    assert rows.filter(pl.col("shown").is_not_null())["n"].fill_null(0).min() in (None, *range(10, 10**6))
    assert rows.filter(pl.col("shown") % 10 != 0).is_empty()
    for part in rules.parts:
        line = [column for column in file.grain if column != part]
        left = rows.group_by(line).agg(
            n_rows=pl.len(),
            n_left=pl.col("shown").is_null().sum(),
            most_left=pl.col("n").filter(pl.col("shown").is_null()).max(),
        )
        open_lines = left.filter((pl.col("n_left") > 0) & (pl.col("n_left") < pl.col("n_rows")))
        assert open_lines.filter((pl.col("n_left") < 2) | (pl.col("most_left") < 10)).is_empty()


@dataclass(frozen=True)
class System:
    """
    Cells that add up to what is published.

    Attributes:
        cells: SQL of an artist's true cells: their keys, n_listeners, and the figure as n.
        figure: The column that is attacked.
        sums: Marts that show sums of it -> the keys that each row fixes; all cells that agree with them are its parts.
    """

    cells: str
    figure: str
    sums: dict[str, tuple[str, ...]]


OF_ARTIST = "track_id in (select track_id from marts.track_features where artist_id = $artist)"
SYSTEMS = {
    "plays by recording and day": System(
        f"""
        select track_id, listen_date, date_trunc('week', listen_date)::date as week_start, n_listeners, n_plays as n
        from marts.track_daily where n_plays > 0 and {OF_ARTIST} order by track_id, listen_date
        """,
        "n_plays",
        {
            "track_daily": ("track_id", "listen_date"),
            "artist_weekly": ("week_start",),
            "artist_daily": ("listen_date",),
            "artist_profile": (),
            "catalogue_health": ("track_id",),
            "breakouts": ("track_id", "listen_date"),
        },
    ),
    "listeners by country and week": System(
        """
        select country, week_start, n_listeners, n_listeners as n
        from marts.country_weekly where artist_id = $artist order by country, week_start
        """,
        "n_listeners",
        {"country_weekly": ("country", "week_start"), "artist_weekly": ("week_start",)},
    ),
    "plays by country and week": System(
        """
        select country, week_start, n_listeners, n_plays as n
        from marts.country_weekly where artist_id = $artist order by country, week_start
        """,
        "n_plays",
        {"country_weekly": ("country", "week_start"), "artist_weekly": ("week_start",), "artist_profile": ()},
    ),
}


def _sums(theft: Theft, system: System, cells: pl.DataFrame, artist: str) -> Iterator[tuple[np.ndarray, int]]:
    """Every published sum of cells: which cells it adds up, and the value that is shown."""
    for mart, keys in system.sums.items():
        own = "artist_id = $artist" if "artist_id" in MARTS[f"marts.{mart}"].columns else OF_ARTIST
        columns = ", ".join((system.figure, *keys))
        rows = theft.own.query(
            f"select {columns} from marts.{mart} where {own} and {system.figure} is not null", {"artist": artist}
        )
        for shown, *where in rows.iter_rows():
            chosen = np.ones(cells.height, dtype=bool)
            for key, value in zip(keys, where, strict=True):
                since = value - timedelta(days=6) if mart == "breakouts" and key == "listen_date" else value
                chosen &= cells[key].is_between(since, value).to_numpy()
            yield chosen, shown


@pytest.mark.parametrize("rank", range(3))
@pytest.mark.parametrize("name", SYSTEMS)
def test_all_sums_together_name_no_small_cell(theft: Theft, name: str, rank: int) -> None:
    """
    Solved as one linear programme, even by somebody who knows which cells are empty.

    Ten values at least stay possible for each cell of fewer than ten listeners; all of 1 to 9 where it is one of these.
    """
    system = SYSTEMS[name]
    artists = theft.own.query("select artist_id from marts.artist_profile order by n_plays desc nulls last, artist_id")
    artist = artists["artist_id"][rank]
    cells = theft.whole.query(system.cells, {"artist": artist})
    sums = list(_sums(theft, system, cells, artist))
    matrix = csr_matrix(np.array([chosen for chosen, _ in sums], dtype=float))
    shown = np.array([value for _, value in sums], dtype=float)
    small = cells.with_row_index().filter(pl.col("n_listeners") < 10, pl.col("n") > 0)
    attacked = small.sample(min(N_ATTACKED, small.height), seed=7)["index"]

    assert len(attacked) > 5
    for cell, true in zip(attacked, cells["n"].gather(attacked), strict=True):
        least, most = _range(matrix, shown, cell)
        assert most - least >= 9
        assert true > 9 or (least <= 1 and most >= 9)


def _range(matrix: csr_matrix, shown: np.ndarray, cell: int) -> tuple[float, float]:
    """The smallest and largest value of a cell, given every sum rounded to ten; infinite if no sum bounds it."""
    aim = np.zeros(matrix.shape[1])
    aim[cell] = 1
    tens = {"A_ub": vstack([matrix, -matrix]), "b_ub": np.concatenate([shown + 9, -shown])}
    least, most = (linprog(sign * aim, **tens, method="highs") for sign in (1, -1))
    assert (least.status, most.status) in {(0, 0), (0, UNBOUNDED)}
    return least.fun, np.inf if most.status == UNBOUNDED else -most.fun
