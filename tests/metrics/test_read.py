"""Values of metrics on a world that can be counted by hand: sums, merged groups, and what a label's file gives."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.ledger.settings import LabelSettings
from recsys.metrics.definitions import metrics
from recsys.metrics.read import Filters, metric
from recsys.warehouse.query import Warehouse

MONDAY = date(2026, 3, 2)
FIRST, SECOND, LAST = (MONDAY + timedelta(days=7 * week) for week in (0, 9, 10))
# Country -> (listeners, weeks in which they listen); all but XX play, XX only skips.
COUNTRIES = {
    "BR": (25, (FIRST, SECOND)),
    "DE": (40, (FIRST, SECOND)),
    "FR": (22, (FIRST,)),
    "NL": (3, (FIRST, LAST)),
    "unknown": (30, (SECOND,)),
}
COUNTS = ("n_active_plays", "n_algorithmic_plays", "n_timed_listens", "n_completions")
REACTIONS = ("n_likes", "n_saves", "n_playlist_adds", "n_shares")
Open = Callable[..., Warehouse]


def listening(countries: dict[str, tuple[int, tuple[date, ...]]]) -> pl.DataFrame:
    """Listener n of a country plays track a `n + 1` times and skips it once in each week."""
    rows = [
        {
            "user_id": f"{country}{n}",
            "country": country,
            "listen_date": day,
            "n_plays": n + 1,
            "n_skips": 1,
            "n_saves": n % 2,
        }
        for country, (n_listeners, days) in countries.items()
        for n in range(n_listeners)
        for day in days
    ]
    return pl.DataFrame(rows).with_columns(track_id=pl.lit("a"))


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """A function that opens a warehouse file with these rows of listening, and lists of one track each."""

    def opened(rows: pl.DataFrame) -> Warehouse:
        path = tmp_path / "w.duckdb"
        with duckdb.connect(path) as connection:
            connection.execute("create schema marts")
            zeros = ", ".join(f"0 as {name}" for name in (*COUNTS, *REACTIONS) if name not in rows.columns)
            connection.execute(
                f"create table marts.interactions_daily as select *, {zeros}, 60000 as ms_played from rows"
            )
            connection.execute(
                "create table marts.listener_profile as select distinct user_id, country, 'unknown' as gender, "
                "'18-24' as age_band from rows"
            )
            connection.execute(
                "create table marts.track_features as select track_id, null::varchar as artist_id, 'l' as label_id, "
                "'major' as label_type, 'mixed' as artist_gender, 'SE' as artist_country, 'pop' as genre, "
                "'en' as language, null::integer as decade, track_id <> 'stub' as is_known "
                "from (values ('a'), ('b'), ('c'), ('stub')) as tracks (track_id)"
            )
            connection.execute(
                "create table marts.recommendations as select user_id, 1 as rank, 'a' as track_id "
                "from marts.listener_profile union all select user_id, 3, 'b' from marts.listener_profile"
            )
            connection.execute("create table marts.track_daily as select track_id, n_plays from rows")
        return Warehouse.open(path)

    return opened


def test_a_ratio_is_one_of_sums(opened: Open) -> None:
    """Never the mean of the listeners' ratios; measures stand beside it."""
    rows = listening(COUNTRIES)
    plays, skips = int(rows["n_plays"].sum()), int(rows["n_skips"].sum())

    assert metric(opened(rows), "skip_share").to_dicts() == [
        {"n_skips": skips, "n_plays": plays, "skip_share": pytest.approx(skips / (plays + skips))}
    ]


def test_small_groups_are_merged_with_the_smallest_that_pass(opened: Open) -> None:
    """Three Dutch listeners and the French are all others; unknown is a group, and the total is true."""
    rows = listening(COUNTRIES)
    by_country = metric(opened(rows), "plays", ["country"])

    assert by_country["country"].to_list() == ["BR", "DE", "unknown", None]
    assert by_country["plays"].sum() == rows["n_plays"].sum()
    assert by_country["plays"][-1] == rows.filter(pl.col("country").is_in(["FR", "NL"]))["n_plays"].sum()


def test_small_periods_are_merged_and_listeners_are_counted_once(opened: Open) -> None:
    """Only three listeners came in the last week: it is merged with the smaller of the others."""
    rows = listening(COUNTRIES)
    by_week = metric(opened(rows), "streams_per_listener", ["week"])
    merged = rows.filter(pl.col("listen_date") != SECOND)

    assert by_week["week"].to_list() == [SECOND, None]
    assert by_week["n_plays"].to_list() == [rows.filter(listen_date=SECOND)["n_plays"].sum(), merged["n_plays"].sum()]
    assert by_week["n_listeners"].to_list() == [25 + 40 + 30, merged["user_id"].n_unique()]


def test_each_group_of_each_period_has_enough_listeners(opened: Open) -> None:
    """Also where periods and groups are merged; and the sums remain."""
    rows = listening(COUNTRIES)
    cells = metric(opened(rows), "save_rate", ["country", "week"])

    assert cells["n_listeners"].min() >= LabelSettings().min_listeners  # type: ignore[operator]
    assert cells["n_saves"].sum() == rows["n_saves"].sum()
    assert cells.filter(country="BR", week=SECOND).height == 1
    assert cells.filter(country="NL").is_empty()


def test_those_who_only_skip_are_shown_with_the_smallest_group(opened: Open) -> None:
    """They are no group that passes, and would else be all others by themselves."""
    rows = listening({"BR": (25, (FIRST,)), "DE": (40, (FIRST,)), "XX": (2, (FIRST,))})
    skipping = rows.with_columns(n_plays=pl.when(country="XX").then(0).otherwise("n_plays"))
    by_country = metric(opened(skipping), "skip_share", ["country"])

    assert by_country.select("country", "n_skips").rows() == [("DE", 40), (None, 27)]


def test_a_total_of_few_or_of_two_has_no_rows(opened: Open) -> None:
    """Of few listeners, and of many of whom two make nearly all; also after a filter."""
    rows = listening(COUNTRIES)
    whale = rows.with_columns(n_plays=pl.when(user_id="DE3").then(1_000_000).otherwise("n_plays"))

    warehouse = opened(whale)
    assert metric(warehouse, "plays").is_empty()
    assert metric(warehouse, "plays", ["week"], Filters(where={"country": "NL"})).is_empty()
    assert metric(warehouse, "plays", [], Filters(where={"country": "BR"})).rows() == [(2 * 25 * 26 // 2,)]


def test_days_and_shares(opened: Open) -> None:
    """A filter by days is inclusive; shares of a period add up to 1."""
    rows = listening(COUNTRIES)
    warehouse = opened(rows)
    shares = metric(warehouse, "play_share", ["week", "country"])

    assert (
        metric(warehouse, "plays", [], Filters(SECOND, SECOND)).item()
        == rows.filter(listen_date=SECOND)["n_plays"].sum()
    )
    assert shares.group_by("week").agg(pl.col("play_share").sum())["play_share"].to_list() == pytest.approx([1, 1])


def test_lists_and_the_catalogue(opened: Open) -> None:
    """Ranks 1 and 3 weigh 1 and 1/2; of three known recordings two are listed and one was played."""
    warehouse = opened(listening(COUNTRIES))
    shares = metric(warehouse, "exposure_share", ["track_id"])

    assert shares.select("track_id", "exposure_share").rows() == [
        ("a", pytest.approx(2 / 3)),
        ("b", pytest.approx(1 / 3)),
    ]
    assert metric(warehouse, "listed_share").rows() == [(2, 3, 2 / 3)]
    assert metric(warehouse, "played_share").rows() == [(1, 3, 1 / 3)]
    with pytest.raises(InputError, match="has no days"):
        metric(warehouse, "exposure_share", filters=Filters(first=FIRST))


def test_new_listeners_are_those_who_had_not_played_the_artist(opened: Open) -> None:
    """From eight weeks after the log began: the unknown 30 of the second week are new, 65 others are not."""
    rows = listening({**COUNTRIES, "DE": (40, (FIRST, SECOND, LAST + timedelta(days=6)))})
    with duckdb.connect(opened(rows).path) as connection:
        connection.execute("update marts.track_features set artist_id = 'x'")
        path = Path(connection.execute("select file from pragma_database_list limit 1").fetchall()[0][0])

    with Warehouse.open(path) as warehouse:
        assert metric(warehouse, "new_share", filters=Filters(last=SECOND)).rows() == [(30, 95, 30 / 95)]


@pytest.fixture
def label(tmp_path: Path) -> Warehouse:
    """A label's file with two closed weeks: totals and countries, of which one week's skips lack a country."""
    lines = [
        *((measure, week, "week", None, value) for measure, week, value in (
            ("n_plays", 0, 100), ("n_plays", 1, 80), ("n_skips", 0, 20), ("n_skips", 1, 20), ("n_listeners", 0, 50),
            ("n_listeners", 1, None),
        )),
        *((measure, week, "country", cell, value) for measure, week, cell, value in (
            ("n_plays", 0, "DE", 60), ("n_plays", 0, None, 40), ("n_plays", 1, "DE", 50), ("n_plays", 1, None, 30),
            ("n_skips", 0, "DE", 15), ("n_skips", 0, None, 5), ("n_skips", 1, None, 20),
        )),
        *(("n_plays", week, "artist", cell, value) for week, cell, value in (
            (0, "x", 70), (0, None, 30), (1, None, 80),
        )),
        *(("n_plays", 0, "recording", cell, value) for cell, value in (("a", 45), (None, 25))),  # of the artist x
    ]  # fmt: skip
    figures = pl.DataFrame(lines, ["measure", "week", "dimension", "cell", "value"], orient="row").with_columns(
        from_day=MONDAY + pl.duration(days=7 * pl.col("week")), to_day=MONDAY + pl.duration(days=7 * pl.col("week") + 6)
    )
    with duckdb.connect(tmp_path / "label.duckdb") as connection:
        connection.register("figures", figures)
        connection.execute("create schema marts; create schema meta; create table meta.label as select 'l' as label_id")
        connection.execute("create table marts.label_figures as select * from figures")
    return Warehouse.open(tmp_path / "label.duckdb")


def test_a_label_reads_the_lines_of_its_ledger(label: Warehouse) -> None:
    """Counts add up over weeks with the others; a ratio is given where both measures have the group."""
    assert metric(label, "plays", ["country"]).rows() == [("DE", 110), (None, 70)]
    assert metric(label, "play_share", ["country"])["play_share"].to_list() == pytest.approx([110 / 180, 70 / 180])
    assert metric(label, "skip_share", ["country"]).rows() == [("DE", 15, 60, 0.2)]
    assert metric(label, "skip_share").rows() == [(40, 180, 40 / 220)]


def test_recordings_of_a_label_add_up_to_its_total(label: Warehouse) -> None:
    """Those of artists without a name are among the others: 25 of x, 30 and 80."""
    assert metric(label, "plays", ["track_id"]).rows() == [("a", 45), (None, 25 + 30 + 80)]
    assert metric(label, "plays", ["artist_id"]).rows() == [("x", 70), (None, 30 + 80)]
    assert metric(label, "plays", ["week", "track_id"])["plays"].to_list() == [45, 55, 80]


def test_listeners_of_a_label_are_never_added_up(label: Warehouse) -> None:
    """They are given by week; a withheld figure is null, and in a ratio left out."""
    weeks = [(MONDAY, MONDAY + timedelta(days=6), 50), (MONDAY + timedelta(days=7), MONDAY + timedelta(days=13), None)]

    assert metric(label, "listeners", ["week"]).rows() == weeks
    assert metric(label, "streams_per_listener", ["week"])["streams_per_listener"].to_list() == [2.0]
    with pytest.raises(InputError, match="must not be added up"):
        metric(label, "listeners")


@pytest.mark.parametrize(
    ("name", "by", "filters", "problem"),
    [
        ("exposure_share", (), Filters(), "does not have exposure_share"),
        ("completion_rate", (), Filters(), "does not have completion_rate"),
        ("plays", ("month",), Filters(), "by day, or by week"),
        ("plays", ("country", "gender"), Filters(), "by day, or by week"),
        ("plays", ("genre",), Filters(), "are not by genre"),
        ("plays", (), Filters(where={"country": "DE"}), "filtered by days alone"),
    ],
)
def test_what_a_label_does_not_see_is_refused(
    label: Warehouse, name: str, by: tuple[str, ...], filters: Filters, problem: str
) -> None:
    """With what it may ask for."""
    with pytest.raises(InputError, match=problem):
        metric(label, name, by, filters)


def test_every_metric_can_be_read_by_all_of_its_dimensions(opened: Open) -> None:
    """Together with one period; rows are sorted, others last."""
    warehouse = opened(listening(COUNTRIES))
    for name, found in metrics().items():
        by = [dimension for dimension in found.dimensions if dimension not in ("day", "week")]
        rows = metric(warehouse, name, by)
        assert rows.columns[: len(by)] == by
        assert rows.equals(rows.sort(by, nulls_last=True))
