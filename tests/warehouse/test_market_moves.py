"""Days and weeks on which the whole market moved, from lines of a ledger that are written by hand."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
import pytest

from recsys.warehouse.query import Warehouse, run_query
from recsys.warehouse.sqlfile import read_layers

from ..dashboards.truth.market import SCHEMA, moves_of_others

LAST_DAY = date(2026, 5, 20)
EVENT = date(2026, 5, 13)  # a Wednesday
TABLES = (
    *("intermediate.market_periods", "intermediate.market_pairs", "intermediate.market_changes"),
    "marts.market_moves",
)
Days = Mapping[date, int]
LedgerLine = tuple[str, str, date, date, str, int | None, bool, bool]
Market = Callable[..., Path]
HOME_COLUMNS = {"listen_date": pl.Date, "n_plays": pl.Int64}
COLUMNS = {
    "label_id": pl.String,
    "measure": pl.String,
    "from_day": pl.Date,
    "to_day": pl.Date,
    "dimension": pl.String,
    "value": pl.Int64,
    "is_late": pl.Boolean,
    "is_withheld": pl.Boolean,
}


def days(usual: int, n_days: int = 80, **special: int) -> dict[date, int]:
    """Return the plays of each of the last days: `usual`, those of the event, and of days like d0515."""
    plays = {LAST_DAY - timedelta(days=n): usual for n in range(n_days)}
    for name, n_plays in special.items():
        plays[EVENT if name == "event" else date(2026, int(name[1:3]), int(name[3:]))] = n_plays
    return plays


def lines_of(label: str, plays: Days) -> list[LedgerLine]:
    """Return the lines of a label whose days are all closed one by one."""
    return [(label, "n_plays", day, day, "day", n_plays, False, False) for day, n_plays in plays.items()]


@pytest.fixture
def market(tmp_path: Path) -> Market:
    """A function that builds the tables from plays per day of the home, and lines of labels."""

    def built(home: Days, lines: list[LedgerLine]) -> Path:
        path = tmp_path / f"{len(list(tmp_path.iterdir()))}.duckdb"
        layers = read_layers()
        with duckdb.connect(path) as connection:
            for schema in ("marts", "intermediate", "meta"):
                connection.execute(f"create schema {schema}")
            connection.execute("create table meta.build as select cast(? as date) as as_of", [LAST_DAY])
            for name, rows, columns in (
                ("marts.track_daily", list(home.items()), HOME_COLUMNS),
                ("marts.label_figures", lines, COLUMNS),
            ):
                connection.register("given", pl.DataFrame(rows, columns, orient="row").to_arrow())
                connection.execute(f"create table {name} as select * from given")
            for name in TABLES:
                connection.execute(f"create table {name} as {layers[name].query}")
        return path

    return built


def moves(path: Path, label: str = "") -> pl.DataFrame:
    """Return the moves that the home shows, or a label."""
    with Warehouse.open(path) as warehouse:
        if label:
            return run_query(warehouse, "label_market_moves", {"label": label}).drop("label_id")
        return run_query(warehouse, "moves_of_market", {})


def of_labels(**plays: Days) -> list[LedgerLine]:
    """Return the lines of several labels."""
    return [line for label, of_label in plays.items() for line in lines_of(label, of_label)]


RISEN = days(10_000, event=11_800)


def test_a_day_is_compared_with_its_weekdays_before(market: Market) -> None:
    """118 plays where 100 are usual are 18 % more; the week with one such day is not unusual, nor are weeks after."""
    found = moves(market(RISEN, []))

    assert found.rows() == [(EVENT, EVENT, 0.18, 11_800, 8)]


@pytest.mark.parametrize(("n_plays", "change"), [(8_000, -0.2), (10_900, None), (9_200, None)])
def test_a_small_move_is_not_unusual(market: Market, n_plays: int, change: float | None) -> None:
    """Below five times an error of 2 % nothing is said."""
    found = moves(market(days(10_000, event=n_plays), []))

    assert found["change"].to_list() == ([] if change is None else [change])


def test_few_plays_need_a_larger_move(market: Market) -> None:
    """Of 100 plays, the noise alone is 20 %."""
    assert moves(market(days(100, event=180), [])).is_empty()
    assert moves(market(days(100, event=350), []))["change"].to_list() == [2.5]


def test_a_market_that_varies_needs_a_larger_move(market: Market) -> None:
    """Wednesdays with 8,000 to 12,000 plays in turn make 11,800 usual."""
    wednesdays = {f"d{EVENT - timedelta(weeks=n):%m%d}": 8_000 + 4_000 * (n % 2) for n in range(1, 9)}

    assert moves(market(days(10_000, event=11_800, d0520=11_000, **wednesdays), [])).is_empty()


def test_a_whole_week_can_move(market: Market) -> None:
    """Each of its days and the week itself; a week that is not over does not count."""
    week = {f"d05{day}": 14_000 for day in range(11, 18)}

    found = moves(market(days(10_000, **week), []))

    assert found.filter(pl.col("to_day") > pl.col("from_day")).rows() == [
        (date(2026, 5, 11), date(2026, 5, 17), 0.4, 98_000, 8)
    ]
    assert found.height == 8


def test_three_weeks_before_are_too_few(market: Market) -> None:
    """Four are enough."""
    assert moves(market(days(10_000, n_days=29, event=20_000), [])).is_empty()
    assert moves(market(days(10_000, n_days=36, event=20_000), []))["n_weeks"].to_list() == [4]


def test_a_label_reads_of_all_others(market: Market) -> None:
    """Its own rise stands beside theirs and is not part of it; plays are not shown."""
    others = dict.fromkeys("bcd", RISEN)

    found = moves(market(RISEN, of_labels(a=days(5_000, event=7_500), **others)), "a")

    assert found.rows() == [(EVENT, EVENT, 0.18, 0.5, 8)]


def test_a_label_without_a_figure_of_the_day_reads_the_market_alone(market: Market) -> None:
    """Here its line covers two days."""
    late = [("a", "n_plays", EVENT - timedelta(days=1), EVENT, "day", 50, False, False)]

    found = moves(market(RISEN, late + of_labels(b=RISEN, c=RISEN, d=RISEN)), "a")

    assert found.rows() == [(EVENT, EVENT, 0.18, None, 8)]


@pytest.mark.parametrize(
    ("others", "is_shown"),
    [
        ({"b": 1, "c": 1, "d": 1}, True),
        ({"b": 1, "c": 1}, False),
        ({"b": 40, "c": 40, "d": 20}, True),
        ({"b": 41, "c": 40, "d": 19}, False),
        ({"b": 98, "c": 1, "d": 1}, False),
        ({"b": 30, "c": 30, "d": 30, "e": 30}, True),
    ],
)
@pytest.mark.parametrize("own", [1, 1_000])
def test_no_other_labels_figure_can_be_read_from_the_sum(
    market: Market, others: dict[str, int], own: int, *, is_shown: bool
) -> None:
    """There are three other labels at least, two of which have 80 % of their plays at most."""
    plays = {name: days(1_000 * size, event=1_200 * size) for name, size in {"a": own, **others}.items()}

    assert moves(market(RISEN, of_labels(**plays)), "a").height == is_shown


@pytest.mark.parametrize(
    "change",
    [{"is_late": True}, {"is_withheld": True, "value": None}, {"measure": "n_saves"}, {"dimension": "country"}],
)
def test_other_lines_do_not_count(market: Market, change: dict[str, object]) -> None:
    """Late ones, withheld ones, other measures and parts of the total: without label d there are too few."""
    of_d = [
        tuple(change.get(name, old) for name, old in zip(COLUMNS, line, strict=True)) for line in lines_of("d", RISEN)
    ]

    assert moves(market(RISEN, [*of_labels(a=RISEN, b=RISEN, c=RISEN), *of_d]), "a").is_empty()


@pytest.mark.parametrize("seed", range(4))
def test_any_ledger_gives_the_moves_of_its_lines(market: Market, seed: int) -> None:
    """Labels of all sizes with gaps, of which two days in three rise or fall together."""
    rng = np.random.default_rng(seed)
    sizes = {name: float(rng.integers(200, 4_000)) for name in "abcdefg"[: 4 + seed]}
    common = {LAST_DAY - timedelta(days=n): rng.choice([0.5, 1, 1, 1, 1, 1, 1, 1.6]) for n in range(120)}
    plays = {
        name: {day: 1 + rng.poisson(size * lift) for day, lift in common.items() if rng.random() > 0.1}
        for name, size in sizes.items()
    }
    path = market(RISEN, of_labels(**plays))

    periods = {name: {(day, day): n_plays for day, n_plays in of_one.items()} for name, of_one in plays.items()}
    expected = {name: moves_of_others(periods, name, LAST_DAY) for name in plays}
    shown = [name for name in SCHEMA if name != "n_plays"]
    assert {name: moves(path, name).rows() for name in plays} == {
        name: table.select(shown).rows() for name, table in expected.items()
    }
    assert any(table.height for table in expected.values())


def test_nothing_moves_in_an_empty_home(market: Market) -> None:
    """There is no line either."""
    assert moves(market({}, [])).is_empty()
