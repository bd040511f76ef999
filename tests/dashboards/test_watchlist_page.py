"""The page Watchlist and the saved views of the sidebar, with values; each viewer sees their own rows only."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from recsys.home import Home
from recsys.releases import registry
from recsys.state.alerts import Alert, record
from recsys.state.store import Owner, State
from recsys.state.views import View, save, views
from recsys.state.watchlist import MAX_WATCHED, Item, Thresholds, thresholds, watch, watched
from recsys.warehouse.query import Warehouse

from ..nights import LAST_DAY
from .conftest import Open, failures, markdown_of, unmarked
from .truth.closings import Closings
from .truth.labels import LabelTruth
from .truth.rows import Lake

OPERATOR = Owner("this machine")
PICTURE = "![p](http://attacker.example/p.png) :heart: $1 to $2 *x*"
PLAYED = """
    select artist_id, track_id, title from marts.track_features join marts.track_daily using (track_id)
    where artist_id is not null and title is not null group by 1, 2, 3 order by count(*) desc, track_id limit 1
"""

LAST_OWN = """
    select tracks.artist_id, tracks.track_id from marts.track_features as tracks
    inner join marts.artist_profile as artists on tracks.artist_id = artists.artist_id
    where artists.name is not null order by 1 desc, 2 desc limit 1
"""


@pytest.fixture
def home(published_home: Home, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home that pages show: links into the published one, with a state file of its own."""
    own = Home(tmp_path / "home")
    own.path.mkdir()
    for path in published_home.path.iterdir():
        (own.path / path.name).symlink_to(path.readlink() if path.is_symlink() else path)
    monkeypatch.setenv("RECSYS_HOME", str(own.path))
    return own


def best_known(path: Path) -> tuple[str, str, str]:
    """Return artist id, track id and title of the recording that was played on the most days."""
    with Warehouse.open(path) as warehouse:
        return warehouse.query(PLAYED).row(0)


def test_an_operator_sees_the_plays_of_the_last_week(open_page: Open, home: Home, published_home: Home) -> None:
    """Counted again from the raw rows: the last complete week, the week before, and all complete weeks."""
    artist_id, track_id, title = best_known(published_home.published_warehouse())
    watch(home, OPERATOR, "recording", track_id, LAST_DAY)
    watch(home, OPERATOR, "artist", artist_id, LAST_DAY)
    lake, sunday = Lake(published_home.path / "lake"), date(2026, 6, 28)
    plays = lake.rows.join(lake.tracks.select("track_id", "artist_id"), on="track_id").filter(pl.col("day") <= sunday)

    page = open_page("watchlist")

    assert failures(page) == []
    shown = page.dataframe[0].value
    assert unmarked(shown["title"].fillna("")) == ["", title]
    for row, column, own_id in ((0, "artist_id", artist_id), (1, "track_id", track_id)):
        own = plays.filter(pl.col(column) == own_id)
        ends = [sunday - timedelta(days=7 * n) for n in range(3)]
        so_far, until_before, until_third = (int(own.filter(pl.col("day") <= end)["n_plays"].sum()) for end in ends)
        last, before = so_far - until_before, until_before - until_third
        assert (shown["n_plays"][row], shown["n_plays_before"][row]) == (last, before)
        assert shown["n_plays_so_far"][row] == so_far > 0
        assert before > 0
        assert shown["change"][row] / 100 == pytest.approx(last / before - 1)


def test_a_label_sees_the_lines_of_its_ledger(open_page: Open, home: Home, published_home: Home, label_id: str) -> None:
    """As its page Artist: the last closed week of its artists, closed again from the raw rows."""
    closings = Closings(Lake(published_home.path / "lake"))
    truth = LabelTruth(closings, label_id)
    artists = sorted(truth.tracks["artist_id"].unique())[:8]
    owner = Owner("this machine", label_id)
    for artist_id in artists:
        watch(home, owner, "artist", artist_id, LAST_DAY)

    page = open_page("watchlist", label=label_id)

    assert failures(page) == []
    shown = page.dataframe[0].value.astype(object).where(page.dataframe[0].value.notna(), None)
    assert shown["artist_id"].tolist() == artists
    assert shown["change"].notna().any()
    for row, artist_id in enumerate(artists):
        weeks = truth.trend("artist", artist_id).to_dicts()
        known = [week["n_plays"] for week in weeks if week["n_plays"] is not None]
        assert shown["n_plays"][row] == (weeks[-1]["n_plays"] if known else None)
        assert shown["n_plays_before"][row] == (weeks[-2]["n_plays"] if known else None)
        assert shown["n_plays_so_far"][row] == (sum(known) or None)
        if shown["n_plays"][row] is not None and shown["n_plays_before"][row] is not None:
            per_day = [week["n_plays"] / week["n_days"] for week in weeks[-2:]]
            assert shown["change"][row] / 100 == pytest.approx(per_day[1] / per_day[0] - 1)


def test_a_label_sets_an_alert_in_six_clicks(open_page: Open, home: Home, published_home: Home, label_id: str) -> None:
    """The task label-alert: the menu, the artist (two), Watch, a typed number, and Save."""
    artist = LabelTruth(Closings(Lake(published_home.path / "lake")), label_id).parts("artist", "1").row(0, named=True)
    owner = Owner("this machine", label_id)

    page = open_page("watchlist", label=label_id)
    page.selectbox(key="artist").select(artist["name"]).run()
    page.button(key="watch").click().run()
    page.number_input[0].set_value(30)
    next(button for button in page.button if button.label == "Save").click().run()

    assert failures(page) == []
    assert watched(home, owner) == [Item("artist", artist["cell"], LAST_DAY)]
    assert thresholds(home, owner).change_percent == 30
    assert unmarked(page.dataframe[0].value["artist_name"]) == [artist["name"]]


def test_a_recording_is_watched_and_removed(open_page: Open, home: Home) -> None:
    """By its id, from the last day of data on; the page then lists it."""
    page = open_page("watchlist")
    page.selectbox(key="track").select_index(1).run()
    page.button(key="watch").click().run()

    assert failures(page) == []
    ((item,), table) = watched(home, OPERATOR), page.dataframe[0].value
    assert item == Item("recording", table["track_id"][0], LAST_DAY)

    page.button(key="unwatch").click().run()

    assert failures(page) == []
    assert watched(home, OPERATOR) == []
    assert page.info[0].value.startswith("**You watch nothing yet.**")


@pytest.mark.parametrize("viewer", ["operator", "label"])
@pytest.mark.parametrize("page", ["artist", "track"])
def test_a_page_watches_what_it_shows(open_page: Open, home: Home, label_id: str, page: str, viewer: str) -> None:
    """A button adds it, then says that it is watched and removes it; another artist or recording is not watched."""
    label = label_id if viewer == "label" else None
    owner, kind = Owner("this machine", label), {"artist": "artist", "track": "recording"}[page]
    with Warehouse.open(registry.label_warehouse(home, label_id)) as warehouse:
        item_id = warehouse.query(f"select {page}_id from ({LAST_OWN})").item()
    opened = open_page(page, label=label, **{page: item_id})
    assert opened.button(key="watch_this").label == f"Watch this {kind}"

    opened.button(key="watch_this").click().run()

    assert failures(opened) == []
    assert [(item.kind, item.id) for item in watched(home, owner)] == [(kind, item_id)]
    assert opened.button(key="watch_this").label == f"Stop watching this {kind}"
    assert "On your watchlist." in [caption.value for caption in opened.caption]
    assert open_page(page, label=label).button(key="watch_this").label == f"Watch this {kind}"

    opened.button(key="watch_this").click().run()

    assert failures(opened) == []
    assert watched(home, owner) == []
    assert opened.button(key="watch_this").label == f"Watch this {kind}"


def test_a_full_watchlist_says_so(open_page: Open, home: Home) -> None:
    """Nothing is added, and the page stays."""
    for no in range(MAX_WATCHED):
        watch(home, OPERATOR, "artist", f"a{no}", LAST_DAY)
    page = open_page("artist")

    page.button(key="watch_this").click().run()

    assert len(watched(home, OPERATOR)) == MAX_WATCHED
    (error,) = failures(page)
    assert str(MAX_WATCHED) in error
    assert [*page.metric]


def test_thresholds_are_saved(open_page: Open, home: Home) -> None:
    """The form shows what is set; without a way to send, it says so and offers no box for it."""
    page = open_page("watchlist")
    assert page.number_input[0].value == 50
    assert any("Alerts are shown here only" in caption.value for caption in page.caption)

    page.number_input[0].set_value(25)
    page.checkbox[0].uncheck()
    save_button = next(button for button in page.button if button.form_id == "thresholds")
    save_button.click().run()

    assert failures(page) == []
    assert thresholds(home, OPERATOR) == Thresholds(change_percent=25, chart_entries=False)
    assert open_page("watchlist").number_input[0].value == 25


def test_a_viewer_of_another_label_sees_none_of_it(open_page: Open, home: Home, label_id: str) -> None:
    """Rows of the same account with another label are not shown."""
    former = Owner("this machine", "another label")
    watch(home, former, "artist", "theirs", LAST_DAY)
    save(home, former, View("their view", "artist", {"artist": "theirs"}))

    page = open_page("watchlist", label=label_id)

    assert page.info[0].value.startswith("**You watch nothing yet.**")
    assert all("their" not in text for text in markdown_of(page))


def test_an_alert_links_to_its_evidence_and_is_text(open_page: Open, home: Home) -> None:
    """Names in alerts and views are shown literally."""
    found = [Alert("e", "match", LAST_DAY, LAST_DAY, PICTURE, "artist", {"artist": "a&b"})]
    record(home, OPERATOR, found, "shown", LAST_DAY)
    save(home, OPERATOR, View(PICTURE, "artist", {"artist": "x"}))
    save(home, OPERATOR, View("of a page that is gone", "gone", {}))

    page = open_page("watchlist")

    assert failures(page) == []
    links = [element.proto for element in page.get("page_link")]
    assert [(link.page, link.query_string) for link in links] == [("artist", "artist=a%26b"), ("artist", "artist=x")]
    assert all("!\\[p\\]" in link.label and "\\$1" in link.label for link in links)


def test_a_view_is_saved_with_the_filters_of_the_page(open_page: Open, home: Home) -> None:
    """The page, and the parameters of its address; then it is a link, can be renamed and deleted."""
    page = open_page("trends", weeks="1")
    page.text_input(key="view_name").set_value(" My trends ")
    form_button(page, "Save").click().run()

    assert failures(page) == []
    (view,) = views(home, OPERATOR)
    assert (view.name, view.page) == ("My trends", "trends")
    assert view.parameters.get("weeks") == "1"

    page.text_input(key="view_new_name").set_value("Other")
    form_button(page, "Rename").click().run()
    assert [view.name for view in views(home, OPERATOR)] == ["Other"]
    form_button(page, "Delete").click().run()
    assert views(home, OPERATOR) == []


def test_a_view_of_a_comparison_keeps_all_that_is_compared(open_page: Open, home: Home, published_home: Home) -> None:
    """The saved view, its link in the sidebar, and the link to copy have each id, in their order."""
    artists = Lake(published_home.path / "lake").artists.drop_nulls()["artist_id"].sort()[:3].to_list()
    page = open_page("compare", artists=artists)
    page.text_input(key="view_name").set_value("My comparison")
    form_button(page, "Save").click().run()

    assert failures(page) == []
    (view,) = views(home, OPERATOR)
    query = "&".join(f"artists={artist}" for artist in artists)
    assert view.parameters == {"artists": artists}
    assert [link.proto.query_string for link in page.get("page_link") if link.proto.label == view.name] == [query]
    assert any(one.value.endswith(f"/compare?{query}") for one in page.code)


def form_button(page: AppTest, label: str) -> Button:
    """Return the button of a form in the sidebar."""
    return next(button for button in page.button if button.label == label and button.form_id != "thresholds")


@pytest.mark.parametrize("name", ["watchlist", "search", "artist"])
def test_a_damaged_state_file_stops_only_the_watchlist(open_page: Open, home: Home, label_id: str, name: str) -> None:
    """Other pages are shown, with a message in the sidebar; a label reads no path."""
    State(home).path.write_text("not a database" * 99)

    operator, label = open_page(name), open_page(name, label=label_id)

    assert not operator.exception
    assert all("is damaged" in error.value for error in operator.error)
    assert operator.title or name == "watchlist"
    assert all(str(home.path) not in error.value for error in label.error)
    assert len(label.error) == len(operator.error) > 0


def test_every_page_has_the_saved_views(open_page: Open, home: Home, label_id: str) -> None:
    """A label's link to a page of operators is not shown to it."""
    for name in ("review", "artist"):
        save(home, Owner("this machine", label_id), View(name, name, {}))

    page = open_page("overview", label=label_id)

    assert [link.proto.label for link in page.sidebar.get("page_link")] == ["artist"]
