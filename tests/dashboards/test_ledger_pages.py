"""A label's pages show the figures of its ledger: those of the raw rows, and the same on every page."""

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import product

import numpy as np
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data, ledger, parts
from dashboards.menu import headers
from recsys.home import Home
from recsys.reports.wording import ledger_note
from recsys.warehouse.query import Warehouse, run_query
from recsys.warehouse.sqlfile import read_layers, read_queries

from .conftest import Open, failures, unmarked

FOR_LABELS = [name for name, header in headers().items() if header.for_labels]
WITH_FIGURES = (
    *("overview", "artist", "track", "compare", "trends", "breakouts", "audience", "markets", "sources", "exposure"),
    "sql",
)
LAST_SUNDAY = date(2026, 6, 28)
TRUTH = """
select tracks.label_id, tracks.artist_id, daily.track_id, daily.user_id, daily.listen_date as day, daily.n_plays,
    daily.n_skips, daily.n_saves, daily.n_likes, daily.n_playlist_adds, daily.ms_played, profiles.country,
    profiles.gender, daily.n_active_plays as active
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
left join marts.listener_profile as profiles on daily.user_id = profiles.user_id
where tracks.label_id is not null
"""
CELLS = {"artist": "artist_id", "recording": "track_id", "country": "country"}


@pytest.fixture(scope="module")
def warehouse(published_home: Home) -> Iterator[Warehouse]:
    """The operator's warehouse."""
    with Warehouse.open(published_home.published_warehouse()) as opened:
        yield opened


def test_every_artist_can_be_chosen(warehouse: Warehouse) -> None:
    """One without a name in the catalogue is called by its id."""
    profiles = dict(warehouse.query("select artist_id, name from marts.artist_profile").iter_rows())

    names = dict(run_query(warehouse, "artist_names", {}).select("artist_id", "name").iter_rows())

    assert None in profiles.values()
    assert names == {artist_id: name or artist_id for artist_id, name in profiles.items()}


@pytest.mark.parametrize(("plays_ended", "shown"), [(22, ["Hours played"]), (23, ["Plays", "Hours played"])])
def test_home_shows_the_totals_of_the_last_seven_closed_days(
    plays_ended: int, shown: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A measure whose last period ended a week before that of another has no card."""
    totals = pl.DataFrame({"measure": ["n_plays", "hours_played"], "n_now": [9.0, 2.0], "change": [0.5, None]})
    ends = pl.Series("last_date", [date(2026, 6, plays_ended), date(2026, 6, 29)])
    cards: list[str] = []
    monkeypatch.setattr(parts, "metric", lambda name, *_, **__: cards.append(name))
    monkeypatch.setattr(data, "run_query", lambda *_: pl.DataFrame(schema=["measure"]))

    ledger._totals(totals.with_columns(ends, first_date=ends - timedelta(days=6)))

    assert cards == shown


@pytest.fixture(scope="module")
def truth(warehouse: Warehouse) -> pl.DataFrame:
    """Each listener's counts per recording and day."""
    return warehouse.query(TRUTH)


def figures(page: AppTest) -> dict[str, str]:
    """Return the metrics of a page: name -> displayed number."""
    return {metric.label: metric.value for metric in page.metric}


def choose(page: AppTest, label: str, option: str) -> AppTest:
    """Choose an option of a select box."""
    (box,) = (box for box in page.selectbox if box.label == label)
    page = box.set_value(option).run()
    assert failures(page) == []
    return page


def between(truth: pl.DataFrame, label_id: str, first: date, last: date) -> pl.DataFrame:
    """Return a label's rows of some days."""
    return truth.filter(pl.col("day").is_between(first, last), label_id=label_id)


@pytest.mark.parametrize(("days", "option"), [(7, "the last closed week"), (28, "the last four closed weeks")])
def test_totals_on_the_overview_are_those_of_the_raw_rows(
    open_page: Open, truth: pl.DataFrame, label_id: str, days: int, option: str
) -> None:
    """Plays, skips and their changes cover whole weeks, which have the largest label's plays of every day."""
    page = choose(open_page("overview", label=label_id), "Period", option)

    now = between(truth, label_id, LAST_SUNDAY - timedelta(days=days - 1), LAST_SUNDAY)
    shift = timedelta(days=days)
    before = between(truth, label_id, LAST_SUNDAY - shift - timedelta(days=days - 1), LAST_SUNDAY - shift)
    shown = figures(page)
    assert shown["Plays"] == f"{now['n_plays'].sum():,}"
    assert shown["Skips"] == f"{now['n_skips'].sum():,}"
    change = int(now["n_plays"].sum()) / int(before["n_plays"].sum()) - 1
    assert next(metric.delta for metric in page.metric if metric.label == "Plays") == f"{change:+.1%}"


@pytest.mark.parametrize("option", ["the last four closed weeks", "the last closed week"])
def test_pages_agree(open_page: Open, label_id: str, option: str) -> None:
    """Artists, countries and sources add up to the plays that the overview shows."""
    total = figures(choose(open_page("overview", label=label_id), "Period", option))["Plays"]
    trends = choose(open_page("trends", label=label_id), "Period", option)
    sums = [trends.dataframe[0].value["n_plays"].sum()]
    audience = choose(open_page("audience", label=label_id), "Period", option)
    for group in ledger.DIMENSIONS.values():
        shown = choose(audience, "Group plays by", group).dataframe[0].value
        sums.append(shown["n_plays"].sum())
        assert shown["share"].sum() == pytest.approx(100)

    assert {f"{n:,.0f}" for n in sums} == {total}


def test_an_artists_page_agrees_with_the_list_of_artists(open_page: Open, label_id: str, truth: pl.DataFrame) -> None:
    """Both show the raw rows' plays and listeners of the last week; recordings add up to the artist's plays."""
    listed = choose(open_page("trends", label=label_id), "Period", "the last closed week").dataframe[0].value
    page = choose(open_page("artist", label=label_id), "Recordings of", "the last closed week")
    (box,) = (box for box in page.selectbox if box.label == "Artist")
    artist = listed.set_axis(unmarked(listed["name"])).loc[box.options[box.index or 0]]
    shown = figures(page)

    assert shown["Plays"] == f"{artist['n_plays']:,.0f}"
    assert shown["Listeners"] == f"{artist['n_listeners']:,.0f}"
    assert page.dataframe[1].value["n_plays"].sum() == artist["n_plays"]
    week = between(truth, label_id, LAST_SUNDAY - timedelta(days=6), LAST_SUNDAY).filter(pl.col("n_plays") > 0)
    counted = week.group_by("artist_id").agg(pl.col("n_plays").sum(), pl.col("user_id").n_unique())
    assert (artist["n_plays"], artist["n_listeners"]) in counted.select("n_plays", "user_id").rows()


@pytest.mark.parametrize("weeks", ["1", "4"])
@pytest.mark.parametrize("dimension", CELLS)
def test_parts_are_those_of_the_raw_rows(warehouse: Warehouse, truth: pl.DataFrame, dimension: str, weeks: str) -> None:
    """For every label; each named part has 20 listeners, and all others have the rest of the plays."""
    artists = run_query(warehouse, "label_parts", {"weeks": weeks}).drop_nulls("cell")
    of_artists = [
        (row["label_id"], row["cell"] if dimension == "recording" else "") for row in artists.iter_rows(named=True)
    ]

    for label_id, artist_id in sorted(set(of_artists)):
        params = {"label": label_id, "dimension": dimension, "artist_id": artist_id, "weeks": weeks}
        parts = run_query(warehouse, "label_parts", params)
        rows = between(truth, label_id, parts["first_date"][0], parts["last_date"][0]).filter(pl.col("n_plays") > 0)
        rows = rows.filter(artist_id=artist_id) if artist_id else rows
        for part in parts.drop_nulls("cell").iter_rows(named=True):
            of_cell = rows.filter(pl.col(CELLS[dimension]) == part["cell"])
            assert part["n_plays"] == of_cell["n_plays"].sum()
            assert of_cell["user_id"].n_unique() >= 20
        assert parts["n_plays"].sum() == rows["n_plays"].sum()


@pytest.mark.parametrize("dimension", ["day", "week"])
def test_a_labels_periods_are_those_of_the_raw_rows(warehouse: Warehouse, truth: pl.DataFrame, dimension: str) -> None:
    """They leave no gap, and a period of several days counts all of them."""
    periods = run_query(warehouse, "label_trend", {"dimension": dimension})

    assert (periods["n_days"] > (1 if dimension == "day" else 7)).any()
    for row in periods.iter_rows(named=True):
        rows = between(truth, row["label_id"], row["from_day"], row["to_day"])
        assert row["n_plays"] == rows["n_plays"].sum()
        assert row["n_skips"] in (None, rows["n_skips"].sum())
        assert row["hours_played"] is None or row["hours_played"] == pytest.approx(
            float(rows["ms_played"].sum()) / 3.6e6
        )
        if dimension == "week":
            assert row["n_listeners"] == rows.filter(pl.col("n_plays") > 0)["user_id"].n_unique()
    gaps = periods.with_columns(gap=pl.col("from_day") - pl.col("to_day").shift(1).over("label_id"))
    assert set(gaps["gap"].drop_nulls()) == {timedelta(days=1)}


def test_a_label_and_the_operator_see_the_same_loyalty(
    open_page: Open, warehouse: Warehouse, truth: pl.DataFrame, label_id: str
) -> None:
    """The listeners of a week add up to those of the raw rows; who is new has no earlier play of the label."""
    weeks = run_query(warehouse, "label_loyalty", {"label": label_id})

    plays = truth.filter(pl.col("n_plays") > 0, label_id=label_id)
    first = plays.group_by("user_id").agg(pl.col("day").min())
    assert {"returning", "unknown"} <= set(weeks["cell"])
    for (first_day, last_day), cells in weeks.group_by("from_day", "to_day"):
        now = plays.filter(pl.col("day").is_between(first_day, last_day))["user_id"].unique()
        assert cells["n_listeners"].sum() == len(now)
        for row in cells.filter(pl.col("cell").is_in(["new", "unknown"])).iter_rows(named=True):
            began = first.filter(pl.col("user_id").is_in(now.implode()), pl.col("day") >= row["from_day"])
            assert row["n_listeners"] == began.height
    params = {"owner": "label", "id": label_id, "kind": "loyalty"}
    of_operator = run_query(warehouse, "listening_parts", params).rename({"week_start": "from_day", "part": "cell"})
    both = weeks.filter(pl.col("from_day").dt.weekday() == 1).join(of_operator, on=["from_day", "cell"])
    assert both.height > 5
    assert both["n_listeners"].to_list() == both["n_listeners_right"].to_list()
    for page in (open_page("sources", of="label"), open_page("sources", label=label_id)):
        assert failures(page) == []
        assert "Who comes back" in [heading.value for heading in [*page.header, *page.subheader]]


def test_a_label_sees_whom_the_lists_reach(open_page: Open, warehouse: Warehouse, label_id: str) -> None:
    """As many listeners as the operator's table of exposure has; labels that reach under 20 have no figure."""
    reached = warehouse.query("select label_id, n_shown from marts.label_exposure where group_kind = 'all'")
    weeks = run_query(warehouse, "label_shown", {})

    expected = dict(reached.filter(pl.col("n_shown") >= 20).iter_rows())
    assert weeks.height > 0
    assert all(expected[label] == n_shown for label, n_shown in weeks.select("label_id", "n_shown").iter_rows())
    page = open_page("exposure", label=label_id)
    assert failures(page) == []
    assert figures(page)["Listeners reached"] == f"{expected[label_id]:,}"


def test_shares_of_artists_are_within_their_error(warehouse: Warehouse, truth: pl.DataFrame) -> None:
    """Those of genders and of chosen plays, by the raw rows; each group has 20 listeners."""
    lines = warehouse.query("select distinct artist_id from marts.label_figures where measure = 'play_share'")
    shares = [
        row | {"artist_id": artist_id, "plays": "active" if dimension == "source" else "n_plays"}
        for artist_id, dimension in product(lines["artist_id"], ("gender", "source"))
        for row in run_query(
            warehouse, "label_artist_audience", {"artist_id": artist_id, "dimension": dimension}
        ).iter_rows(named=True)
    ]
    named = [row for row in shares if row["cell"] in ("female", "male", "active")]

    assert {row["plays"] for row in named} == {"active", "n_plays"}
    for row in named:
        plays = between(truth, row["label_id"], row["from_day"], row["to_day"]).filter(artist_id=row["artist_id"])
        found = plays.filter(pl.col(row["plays"]) > 0).filter(
            (pl.col("gender") == row["cell"]) | (row["cell"] == "active")
        )
        assert found["user_id"].n_unique() >= 20
        assert row["share"] == pytest.approx(found[row["plays"]].sum() / plays["n_plays"].sum(), abs=row["error"])


def test_the_total_of_all_time_is_that_of_the_raw_rows(warehouse: Warehouse, truth: pl.DataFrame) -> None:
    """For every label and measure, up to its last closed day."""
    totals = run_query(warehouse, "label_all_time", {})

    assert totals["label_id"].n_unique() > 3
    for row in totals.iter_rows(named=True):
        assert row["value"] == between(truth, row["label_id"], date.min, row["last_date"])[row["measure"]].sum()


def test_a_week_without_a_figure_is_a_gap(warehouse: Warehouse, truth: pl.DataFrame) -> None:
    """It is null, and never 0, although there were plays."""
    lines = warehouse.query("select distinct label_id, cell from marts.label_figures where dimension = 'artist'")
    missing = 0
    for label_id, artist_id in lines.drop_nulls().iter_rows():
        weeks = run_query(warehouse, "label_trend", {"label": label_id, "dimension": "artist", "cell": artist_id})
        for row in weeks.iter_rows(named=True):
            played = between(truth, label_id, row["from_day"], row["to_day"]).filter(artist_id=artist_id)
            assert row["n_plays"] in (None, played["n_plays"].sum())
            missing += row["n_plays"] is None and played["n_plays"].sum() > 0

    assert missing > 0


@pytest.mark.parametrize(("direction", "sign"), [("rise", 1), ("drop", -1)])
def test_outliers_are_those_of_the_weeks(warehouse: Warehouse, direction: str, sign: int) -> None:
    """Each z is computed again from each artist's weeks, with numpy."""
    params = {"dimension": "artist", "direction": direction, "z": "0.5"}
    found = run_query(warehouse, "label_outliers", params)
    z_scores = {(row["label_id"], row["cell"]): row["z"] for row in found.iter_rows(named=True)}
    expected = {}
    for label_id, cell in (
        run_query(warehouse, "label_parts", {"weeks": "1"}).drop_nulls().select("label_id", "cell").iter_rows()
    ):
        weeks = run_query(warehouse, "label_trend", {"label": label_id, "dimension": "artist", "cell": cell})
        earlier = weeks.filter(pl.col("to_day").is_between(LAST_SUNDAY - timedelta(days=56), LAST_SUNDAY, "left"))
        earlier = earlier.drop_nulls("n_plays")
        levels, last = np.log(earlier["plays_a_day"].to_numpy()), np.log(weeks["plays_a_day"][-1])
        if len(levels) < 4:
            continue
        usual = np.median(levels)
        noise = np.sqrt(np.median(earlier["n_plays"] / earlier["n_listeners"]) / np.median(earlier["n_plays"]))
        z = (last - usual) / max(1.4826 * np.median(abs(levels - usual)), noise)
        if sign * z >= 0.5 and (direction == "drop" or last - usual >= np.log(2)):
            expected[label_id, cell] = z

    assert direction == "rise" or len(expected) > 2
    assert {key for key in z_scores if weeks_of(warehouse, key) >= 4} >= expected.keys()
    assert {key: z_scores[key] for key in expected} == pytest.approx(expected, abs=0.006)


def weeks_of(warehouse: Warehouse, key: tuple[str, str]) -> int:
    """Count the weeks with a figure of an artist."""
    weeks = run_query(warehouse, "label_trend", {"label": key[0], "dimension": "artist", "cell": key[1]})
    return weeks["n_plays"].count()


@pytest.mark.parametrize("name", FOR_LABELS)
def test_a_labels_pages_read_its_ledger_only(
    open_page: Open, label_id: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No query reads another mart that is computed from listening, except columns that a label's file leaves empty."""
    queries, original = set[str](), data.run_query

    def recorded(query: str, **params: object) -> pl.DataFrame:
        queries.add(query)
        return original(query, **params)

    monkeypatch.setattr(data, "run_query", recorded)
    open_page(name, label=label_id, **({"q": "the"} if name == "search" else {}))

    for_labels = {mart for mart, file in read_layers().items() if file.label_rules}
    read = set[str]().union(*(read_queries()[query].sources for query in queries))
    assert {table for table in read if table.startswith("marts.")} <= for_labels


@pytest.mark.parametrize("name", ["search", "catalogue"])
def test_a_labels_lists_have_no_plays(open_page: Open, label_id: str, name: str) -> None:
    """The column is absent for a label; operators see it."""
    columns = [open_page(name, label=label, q="the").dataframe[0].value.columns for label in (None, label_id)]

    assert "n_plays" in columns[0]
    assert not [column for column in columns[1] if column.startswith(("n_plays", "n_listeners"))]


@pytest.mark.parametrize("name", WITH_FIGURES)
def test_a_page_with_figures_says_what_they_include(open_page: Open, label_id: str, name: str) -> None:
    """One sentence, for labels only."""
    for label, n_notes in ((None, 0), (label_id, 1)):
        page = open_page(name, label=label)
        if name == "sql":
            page.button(key="run_sql").click().run()
        assert [caption.value for caption in page.caption].count(ledger_note(20)) == n_notes
