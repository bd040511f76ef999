"""The page Release room: links carry a release, too few earlier ones have no band, too few listeners are never 0."""

import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from recsys.analytics.release_band import N_LEAST
from recsys.home import Home
from recsys.releases import registry
from recsys.warehouse.query import Warehouse, run_query

from .conftest import Open, failures
from .truth.closings import Closings
from .truth.labels import LabelTruth
from .truth.page import number
from .truth.releases import LabelReleasesTruth, Release, ReleasesTruth
from .truth.rows import Lake
from .walk import bullets_of, plain


@pytest.fixture(scope="module")
def lake(published_home: Home) -> Lake:
    """The raw rows of the home that pages show."""
    return Lake(published_home.path / "lake")


@pytest.fixture(scope="module")
def seen(lake: Lake, label_id: str) -> LabelReleasesTruth:
    """The releases as the label sees them."""
    return LabelReleasesTruth(LabelTruth(Closings(lake), label_id))


def texts(page: AppTest) -> list[str]:
    """Return the notes, messages and sentences of a page, without markup."""
    sentences = [line for one in page.markdown for line in bullets_of(one.value)]
    return [plain(one) for one in [*(it.value for it in [*page.caption, *page.info, *page.warning]), *sentences]]


def test_a_link_needs_the_release_only(open_page: Open, lake: Lake) -> None:
    """The box of labels shows the label that it belongs to."""
    labels = lake.tracks.drop_nulls("label_id")["label_id"].unique().sort()
    names = dict(lake.tracks.select("label_id", "label_name").drop_nulls().unique().iter_rows())
    for label in labels[-2:]:
        release = ReleasesTruth(lake, label).releases[-1]

        page = open_page("releases", release=release.id)

        assert failures(page) == []
        assert [box.options[box.index or 0] for box in page.selectbox if box.label == "Label"] == [names[label]]
        assert page.selectbox(key="release").value == release.id


def test_the_newest_release_is_shown_first(open_page: Open, seen: LabelReleasesTruth, label_id: str) -> None:
    """Of the label, in the order of the truth; the other ones can be chosen."""
    page = open_page("releases", label=label_id)

    assert page.selectbox(key="release").value == seen.releases[0].id
    assert len(page.selectbox(key="release").options) == len(seen.releases)


@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_a_link_to_an_unknown_release_shows_nothing_else(open_page: Open, label_id: str, is_label: bool) -> None:
    """The value is not repeated."""
    page = open_page("releases", label=label_id if is_label else None, release="no_such_id")

    assert "is not known: removed or not yours." in plain(page.warning[0].value)
    assert not any("no_such_id" in text for text in texts(page))
    assert [*page.metric, *page.dataframe, *page.get("vega_lite_chart"), *page.selectbox] == []


def test_another_labels_release_reads_as_an_unknown_one(open_page: Open, lake: Lake, label_id: str) -> None:
    """So that a label cannot find out which ids exist."""
    other = next(label for label in lake.tracks["label_id"].drop_nulls().unique().sort() if label != label_id)
    release = ReleasesTruth(lake, other).releases[0].id

    pages = [open_page("releases", label=label_id, release=value) for value in (release, "no_such_id")]

    assert texts(pages[0]) == texts(pages[1])
    assert pages[0].warning


def test_the_first_releases_of_a_label_have_no_band(open_page: Open, lake: Lake, label_id: str) -> None:
    """The page says how many earlier ones there are, and how many a band takes."""
    truth = ReleasesTruth(lake, label_id)
    n_before = {one: sum(it.released < one.released for it in truth.releases) for one in truth.releases}
    early, n = next((one, n) for one, n in n_before.items() if 0 < n < N_LEAST)
    first = next(one for one, n in n_before.items() if n == 0)

    alone, few = (open_page("releases", release=one.id, **{"with": "any"}) for one in (first, early))

    text = f"No band: the label has {n} earlier releases in the data, and a band takes {N_LEAST}."
    assert text in texts(few)
    assert "The label has no earlier releases in the data. Compare with all releases." in texts(alone)
    assert failures(alone) == failures(few) == []


def test_a_release_with_many_before_it_has_a_band(open_page: Open, lake: Lake, label_id: str) -> None:
    """The page says how many; one without enough of its kind still has one among all."""
    truth = ReleasesTruth(lake, label_id)
    newest = truth.releases[0]
    n = sum(one.released < newest.released for one in truth.releases)

    page = open_page("releases", release=newest.id, **{"with": "any"})

    assert n >= N_LEAST
    text = f"The band is what {n} earlier releases let expect: four releases out of five should be inside."
    assert text in texts(page)


def test_a_release_with_too_few_listeners_says_so(
    open_page: Open, lake: Lake, seen: LabelReleasesTruth, label_id: str
) -> None:
    """To the label, where no week has a figure although there were plays; nothing on the page is 0."""
    played = lake.rows.filter(pl.col("n_plays") > 0)["track_id"].unique()
    none = [one for one in seen.releases if all(week["n_plays"] is None for week in seen.periods(one))]
    few = next(
        one for one in none if set(one.tracks) & set(played) and any(it["is_closed"] for it in seen.periods(one))
    )

    page = open_page("releases", label=label_id, release=few.id)

    assert "Each closed week since the release had under 20 listeners: there is no figure." in texts(page)
    assert {metric.value for metric in page.metric} <= {"too few", "not yet"}
    assert failures(page) == []


@pytest.fixture(scope="module")
def counted(lake: Lake) -> tuple[str, Release, int]:
    """A label, a release of it with enough listeners, and its plays in the first two closed weeks."""
    closings = Closings(lake)
    for label in lake.tracks["label_id"].drop_nulls().unique().sort():
        truth = LabelReleasesTruth(LabelTruth(closings, label))
        for release in truth.releases if truth.truth.weeks else []:
            weeks = [week["n_plays"] for week in truth.periods(release)[:2]]
            if all(weeks):
                return str(label), release, sum(weeks)
    raise AssertionError("no release has a figure")


def test_a_release_with_enough_listeners_has_its_figures(open_page: Open, counted: tuple[str, Release, int]) -> None:
    """The plays of the first two closed weeks, as a number and in a sentence."""
    label, release, plays = counted

    page = open_page("releases", label=label, release=release.id)

    assert {metric.label: metric.value for metric in page.metric}["Plays, first 2 weeks"] == number(plays)
    assert any(text.startswith(f"{number(plays)} plays in the first 2 weeks") for text in texts(page))


def test_withheld_weeks_are_no_figures(
    open_page: Open, published_home: Home, counted: tuple[str, Release, int], tmp_path: Path
) -> None:
    """Neither for a release nor in a comparison; the release's own weeks are said to be withheld."""
    label, release, _ = counted
    file = tmp_path / "withheld.duckdb"
    shutil.copyfile(registry.label_warehouse(published_home, label), file)
    with duckdb.connect(file) as connection:
        connection.execute("update marts.label_figures set value = null, is_withheld = true")

    page = open_page("releases", label=label, file=file, release=release.id)
    compared = open_page("compare", label=label, file=file, tracks=list(release.tracks))

    assert "The weeks since the release are withheld." in texts(page)
    assert {metric.value for metric in page.metric} <= {"withheld", "not yet"}
    assert failures(page) == failures(compared) == []
    assert [*compared.dataframe, *compared.get("vega_lite_chart")] == []
    reason = "No figures: every week had under 20 listeners or is withheld. Choose others, or a longer period."
    assert reason in texts(compared)


@pytest.mark.parametrize("kind", ["artist", "recording"])
def test_late_rows_and_a_withheld_week(
    published_home: Home, counted: tuple[str, Release, int], tmp_path: Path, kind: str
) -> None:
    """Late rows of a week add to it; a withheld one has no figure, on the page Compare and for the release."""
    label, release, _ = counted
    file = tmp_path / "late.duckdb"
    shutil.copyfile(registry.label_warehouse(published_home, label), file)
    with Warehouse.open(file) as warehouse:
        (artist,) = run_query(warehouse, "artist_of_track", {"track_id": release.id})["artist_id"]
        item = artist if kind == "artist" else with_figures(warehouse, release)
        params = {"kind": kind, "id": item}
        before = run_query(warehouse, "label_compared_weeks", params)
        of_release = weeks_of(warehouse, release)
    day, withheld = before.drop_nulls("n_plays")["to_day"][-2:]
    with duckdb.connect(file) as connection:
        connection.execute(
            "insert into marts.label_figures "
            "select * replace (5 as value, true as is_late, closing_no + 1 as closing_no) from marts.label_figures "
            "where cell = $1 and dimension = $2 and measure = 'n_plays' and to_day = $3",
            [item, kind, day],
        )
        connection.execute(
            "update marts.label_figures set value = null, is_withheld = true where to_day = $1", [withheld]
        )
    with Warehouse.open(file) as warehouse:
        after, now = run_query(warehouse, "label_compared_weeks", params), weeks_of(warehouse, release)

    old = dict(before.select("to_day", "n_plays").iter_rows())
    assert dict(after.select("to_day", "n_plays").iter_rows()) == {**old, day: old[day] + 5, withheld: None}
    assert after.filter("is_withheld")["to_day"].to_list() == [withheld]
    plays, plays_now = (
        dict(it.drop_nulls("to_day").select("to_day", "n_plays").iter_rows()) for it in (of_release, now)
    )
    late = {day: plays[day] + 5} if kind == "recording" and day in plays else {}
    assert plays_now == {**plays, **late} | ({withheld: None} if withheld in plays else {})


def with_figures(warehouse: Warehouse, release: Release) -> str:
    """Return the recording of a release that has figures."""
    cells = warehouse.query("select distinct cell from marts.label_figures where dimension = 'recording'")["cell"]
    return next(track for track in release.tracks if track in set(cells))


def weeks_of(warehouse: Warehouse, release: Release) -> pl.DataFrame:
    """Return the first weeks of a release."""
    return run_query(warehouse, "release_weeks", {}).filter(release_id=release.id)
