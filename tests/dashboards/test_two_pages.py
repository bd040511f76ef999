"""A figure that stands on two pages, or on a page and in a morning report, is the same on both."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from recsys.home import Home
from recsys.releases import registry
from recsys.reports.morning.write import folder_of
from recsys.reports.wording import ISSUES

from ..nights import LAST_DAY
from .conftest import Open
from .truth.page import number
from .walk import Shown, Walk

pytestmark = pytest.mark.slow
N_ARTISTS = 6  # whose pages are opened
NOTHING = pl.DataFrame(schema={"name": pl.String, "n_plays": pl.Int64, "n_listeners": pl.Int64})
Figure = tuple[tuple[str, str], str, str]  # what it is about and what it counts; where it stands; the figure

# page and key -> column of names, and columns of figures with what they count
TABLES = {
    "label": {
        ("overview", "artist_changes"): ("artist_name", {"n_now": "plays", "n_plays_before": "plays before"}),
        ("overview", "new_releases"): ("title", {"n_plays": "plays"}),
        ("trends", "trending_artists"): (
            "name",
            {"n_plays": "plays", "n_plays_before": "plays before", "n_listeners": "listeners"},
        ),
        ("artist", "artist_tracks"): ("name", {"n_plays": "plays"}),
        ("breakouts", "drops"): ("name", {"n_plays": "plays"}),
        ("breakouts", "breakouts_table"): ("name", {"n_plays": "plays"}),
    },
    "operator": {
        ("overview", "artist_changes"): ("artist_name", {"n_now": "plays, 7 days", "n_before": "plays, 7 days before"}),
        ("trends", "trending_artists"): (
            "name",
            {"n_plays": "plays, 7 days", "n_plays_before": "plays, 7 days before"},
        ),
        ("overview", "new_releases"): ("title", {"n_plays": "plays, 28 days", "skip_share": "skip share"}),
        ("artist", "artist_tracks"): ("title", {"n_plays": "plays, 28 days", "skip_share": "skip share"}),
        ("catalogue", "tracks_with_issue"): ("track_id", {"n_plays": "plays"}),
        ("search", "search"): ("id", {"n_plays": "plays"}),
        ("catalogue", "issues"): ("issue", {"n_tracks": "recordings", "n_plays": "plays"}),
    },
}


def stated(shown: Shown, page: str, viewer: str) -> Iterator[Figure]:
    """Yield the figures of the tables and charts of a view; of names that stand there twice, none."""
    for (of_page, key), (name, figures) in TABLES[viewer].items():
        if of_page == page and key in shown.rows:
            rows = shown.rows[key].filter(~pl.col(name).is_duplicated(), pl.col(name) != "all others")
            for column, meaning in figures.items():
                for subject, value in rows.select(name, column).drop_nulls().iter_rows():
                    yield (str(subject), meaning), f"{page} {key}", number(value)


def assert_the_same(figures: Iterable[Figure], *, least: int) -> None:
    """Each figure has one value wherever it stands, and at least so many stand in two places."""
    values, places = defaultdict[tuple[str, str], set[str]](set), defaultdict[tuple[str, str], set[str]](set)
    for meaning, place, value in figures:
        values[meaning].add(value)
        places[meaning].add(place)

    assert {meaning: (values[meaning], places[meaning]) for meaning in values if len(values[meaning]) > 1} == {}
    assert sum(len(found) > 1 for found in places.values()) >= least


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A visitor who records what pages show."""
    return Walk(monkeypatch)


def of_label(walk: Walk, open_page: Open, label_id: str) -> Iterator[Figure]:
    """Yield what the pages of a label state of the last closed week."""
    week, all_plays = "the last closed week", ("the label", "plays")
    overview = walk.view(open_page("overview", label=label_id), {"Period": week})
    yield from stated(overview, "overview", "label")
    yield all_plays, "overview", overview.metrics["Plays"][0]
    trends = walk.view(open_page("trends", label=label_id), {"Period": week})
    yield from stated(trends, "trends", "label")
    listed = trends.rows.get("trending_artists", NOTHING)
    if not listed.is_empty():
        yield all_plays, "trends", number(listed["n_plays"].sum())
    audience = open_page("audience", label=label_id)
    for group in ("Country", "Age", "Gender", "Who chose the recording"):
        shown = walk.view(audience, {"Group plays by": group, "Period": week})
        if "groups" in shown.rows:
            yield all_plays, f"audience {group}", number(shown.rows["groups"]["n_plays"].sum())
    breakouts = open_page("breakouts", label=label_id)
    for dimension in ("recordings", "artists"):
        yield from stated(walk.view(breakouts, {"Show": dimension}), "breakouts", "label")
    named = listed.drop_nulls("n_listeners")["name"].head(N_ARTISTS)
    artist, track = open_page("artist", label=label_id), open_page("track", label=label_id)
    yield from chain.from_iterable(_of_artist(walk, artist, track, name) for name in named)


def _of_artist(walk: Walk, artist: AppTest, track: AppTest, name: str) -> Iterator[Figure]:
    """Yield what the pages Artist and Track state of an artist and their most played recording."""
    shown = walk.view(artist, {"Artist": name, "Recordings of": "the last closed week"})
    yield from stated(shown, "artist", "label")
    yield (name, "plays"), "artist", shown.metrics["Plays"][0]
    yield (name, "listeners"), "artist", shown.metrics["Listeners"][0]
    recordings = shown.rows.get("artist_tracks", NOTHING)
    if recordings.is_empty():
        return
    yield (name, "plays"), "artist_tracks", number(recordings["n_plays"].sum())
    first = recordings["name"][0]
    if recordings.height > 1 and not recordings["name"].is_duplicated()[0]:
        metrics = walk.view(track, {"Artist": name, "Track": first}).metrics
        yield (first, "plays"), "track", metrics["Plays"][0]


def in_report(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the two forms of a morning report: its name and its text."""
    yield "report.md", re.sub(r"\\(?=\W)", "", (folder / "index.md").read_text())
    yield "report.html", re.sub("<[^>]+>", "", (folder / "index.html").read_text())


def test_a_labels_pages_and_reports_agree(walk: Walk, open_page: Open, published_home: Home, label_id: str) -> None:
    """The label's plays, and plays and listeners of artists and recordings, of the last closed week."""
    figures = [*of_label(walk, open_page, label_id)]
    folder = folder_of(published_home, LAST_DAY) / "labels" / registry.label_warehouse(published_home, label_id).stem
    for name, text in in_report(folder):
        (plays,) = re.findall(r"([\d,]+) plays from 22 June to 28 June", text)
        figures.append((("the label", "plays"), name, plays))

    assert_the_same(figures, least=20)


def of_operator(walk: Walk, open_page: Open) -> Iterator[Figure]:
    """Yield what the operator's pages state of artists, recordings and problems."""
    yield from stated(walk.view(open_page("overview"), {"Period": "the last 7 days"}), "overview", "operator")
    trends = walk.view(open_page("trends"), {"Minimum plays in the preceding period": "10"})
    yield from stated(trends, "trends", "operator")
    yield from stated(walk.view(open_page("search", q="trk_"), {}), "search", "operator")
    artists = trends.rows["trending_artists"].filter(~pl.col("name").is_duplicated(), pl.col("n_plays") > 50)
    artist_page, track_page = open_page("artist"), open_page("track")
    for name in artists["name"].head(N_ARTISTS):
        shown = walk.view(artist_page, {"Artist": name})
        yield from stated(shown, "artist", "operator")
        track = shown.rows["artist_tracks"].filter(~pl.col("title").is_duplicated()).row(0, named=True)
        metrics = walk.view(track_page, {"Artist": name, "Track": track["title"]}).metrics
        yield (track["title"], "plays, 28 days"), "track", metrics["Plays"][0]
    catalogue = open_page("catalogue")
    for problem in next(box for box in catalogue.selectbox if box.label == "Problem").options:
        yield from stated(walk.view(catalogue, {"Problem": problem}), "catalogue", "operator")


def problems_in(text: str, place: str) -> Iterator[Figure]:
    """Yield the problems of the catalogue that a report lists."""
    for name in ISSUES.values():
        for recordings, plays in re.findall(rf"{name}: ([\d,]+) recordings?(?:, ([\d,]+) plays)?\.", text):
            yield (name, "recordings"), place, recordings
            yield (name, "plays"), place, plays or "0"


def test_an_operators_pages_and_reports_agree(walk: Walk, open_page: Open, published_home: Home) -> None:
    """Plays of artists and recordings, and problems of the catalogue with the plays that they affect."""
    figures = [*of_operator(walk, open_page)]
    reports = list(in_report(folder_of(published_home, LAST_DAY)))
    found = [figure for place, text in reports for figure in problems_in(text, place)]

    assert len(found) >= 2 * 2 * 8
    assert_the_same([*figures, *found], least=30)
