"""A link carries ids: it outlives a renaming, and one to something unknown says so and shows nothing else."""

import shutil
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import links, parts
from dashboards.access import Viewer
from recsys.home import Home
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures
from .walk import Walk, plain

LAST_ARTIST = """
select artists.artist_id, artists.name, tracks.track_id, tracks.title
from marts.artist_profile as artists
inner join marts.track_features as tracks on artists.artist_id = tracks.artist_id
where tracks.title is not null and artists.name is not null
order by artists.artist_id desc, tracks.track_id desc
limit 1
"""
OF_OTHERS = """
select tracks.artist_id, tracks.track_id
from marts.track_features as tracks
where tracks.label_id <> '{0}' and tracks.artist_id is not null
    and tracks.artist_id not in (select own.artist_id from marts.track_features as own where own.label_id = '{0}')
order by 1, 2
limit 1
"""


def row_of(file: Path, sql: str) -> tuple[Any, ...]:
    """Return the first row of a query."""
    with Warehouse.open(file) as warehouse:
        return warehouse.query(sql).row(0)


def chosen(page: AppTest, label: str) -> str:
    """Return what a select box shows."""
    (box,) = (box for box in page.selectbox if box.label == label)
    return str(box.options[box.index or 0])


@pytest.mark.parametrize("viewer", ["operator", "label"])
def test_a_link_opens_an_artist_and_a_recording_by_id(
    open_page: Open, published_home: Home, label_id: str, viewer: str
) -> None:
    """The id of a recording is enough: its artist follows from it."""
    label = label_id if viewer == "label" else None
    file = registry.label_warehouse(published_home, label) if label else published_home.published_warehouse()
    artist_id, name, track_id, title = row_of(file, LAST_ARTIST)

    artist, track = open_page("artist", label=label, artist=artist_id), open_page("track", label=label, track=track_id)

    assert failures(artist) == failures(track) == []
    assert chosen(artist, "Artist").startswith(name)
    assert chosen(track, "Artist").startswith(name)
    assert chosen(track, "Track").startswith(title)


def test_a_link_outlives_a_renaming(open_page: Open, published_home: Home, tmp_path: Path) -> None:
    """The same link shows the new name."""
    file = tmp_path / "renamed.duckdb"
    shutil.copyfile(published_home.published_warehouse(), file)
    artist_id = row_of(file, LAST_ARTIST)[0]
    with duckdb.connect(file) as connection:
        connection.execute("update marts.artist_profile set name = 'Renamed' where artist_id = $1", [artist_id])

    assert chosen(open_page("artist", file=file, artist=artist_id), "Artist") == "Renamed"


@pytest.mark.parametrize(("page", "key"), [("artist", "artist"), ("track", "track"), ("overview", "days")])
@pytest.mark.parametrize("viewer", ["operator", "label"])
def test_a_link_to_something_unknown_shows_nothing_else(
    open_page: Open, label_id: str, page: str, key: str, viewer: str
) -> None:
    """No figure, table or chart; the value is not repeated."""
    opened = open_page(page, label=label_id if viewer == "label" else None, **{key: "no_such_id"})

    assert "is not known: removed or not yours." in plain(opened.warning[0].value)
    assert "no_such_id" not in opened.warning[0].value
    assert [*opened.metric, *opened.dataframe, *opened.get("vega_lite_chart"), *opened.selectbox] == []
    assert failures(opened) == []


@pytest.mark.parametrize("key", ["artist", "track"])
def test_another_labels_id_reads_as_an_unknown_one(
    open_page: Open, published_home: Home, label_id: str, key: str
) -> None:
    """The whole page is the same, so that a label cannot find out which ids exist."""
    artist_id, track_id = row_of(published_home.published_warehouse(), OF_OTHERS.format(label_id))
    other = {"artist": artist_id, "track": track_id}[key]
    texts = []

    for value in (other, "no_such_id"):
        page = open_page(key, label=label_id, **{key: value})
        texts.append([element.value for element in [*page.title, *page.markdown, *page.caption, *page.warning]])

    assert texts[0] == texts[1]


def test_a_choice_is_written_into_the_address(open_page: Open) -> None:
    """By its id; the recording of the artist chosen before is left out of it."""
    page = open_page("track")
    page.selectbox(key="track").select_index(1).run()
    track = page.query_params["track"]
    page.selectbox(key="artist").select_index(2).run()

    assert failures(page) == []
    assert "track" not in page.query_params
    assert page.query_params["artist"] not in (track, "")
    assert [*page.warning] == []


def test_all_leaves_the_address(open_page: Open) -> None:
    """The choice of all labels is the address without a label."""
    page = open_page("overview")
    page.selectbox(key="label").select_index(1).run()
    assert "label" in page.query_params

    page.selectbox(key="label").select_index(0).run()

    assert "label" not in page.query_params


# page and column of a table -> query parameter that its first link has, and the page that it opens
LINKS = {
    ("trends", "trending_artists_name"): ("artist", "artist"),
    ("overview", "new_releases_title"): ("track", "track"),
    ("overview", "new_releases_artist_name"): ("artist", "artist"),
    ("artist", "artist_tracks_title"): ("track", "track"),
    ("search", "search_name"): ("track", "track"),
    ("search", "search_label"): ("overview", "label"),
    ("catalogue", "tracks_with_issue_label_name"): ("overview", "label"),
    ("audience", "overlap_name"): ("artist", "artist"),
    ("discovery", "similar_title"): ("track", "track"),
}
OF_LABELS = {"trends": "name", "artist": "name", "overview": "title", "catalogue": "title", "search": "name"}


def follow(page: AppTest) -> tuple[str, str, str]:
    """Return page, parameter and id of the link that a click on a table opened."""
    (link,) = follow_all(page)
    return link


def follow_all(page: AppTest) -> list[tuple[str, str, str]]:
    """Return page, parameter and value of each link that is followed by itself."""
    protos = [link.proto for link in page.get("page_link") if link.proto.label == "Continue"]
    pairs = [(proto.page, *proto.query_string.split("=", 1)) for proto in protos]
    return [(page, parameter, value) for page, parameter, value in pairs]


@pytest.mark.parametrize(("page", "column"), LINKS)
def test_a_click_on_a_name_opens_its_page(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, page: str, column: str
) -> None:
    """The link has the id of the row, and the page that it opens knows the id."""
    found: list[str] = []
    monkeypatch.setattr(parts, "_clicked_row", lambda key: 3 if key == column else None)
    original = links.open_page

    def noted(target: links.Target, value: str) -> None:
        found.append(value)
        original(target, value)

    monkeypatch.setattr(links, "open_page", noted)

    opened = follow(open_page(page, **({"q": "club"} if page == "search" else {})))

    target, parameter = LINKS[page, column]
    assert opened == ("" if target == "overview" else target, parameter, found[0])
    monkeypatch.setattr(parts, "_clicked_row", lambda _: None)
    shown = open_page(target, **{parameter: found[0]})
    assert failures(shown) == []
    assert [*shown.warning] == []


@pytest.mark.parametrize("name", OF_LABELS)
def test_a_labels_links_are_to_its_own(
    open_page: Open, label_id: str, published_home: Home, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Each opens an artist or a recording of the label's file; names of labels are no links."""
    monkeypatch.setattr(parts, "_clicked_row", lambda key: 0 if key.endswith(f"_{OF_LABELS[name]}") else None)

    _, parameter, value = follow(open_page(name, label=label_id, **({"q": "e"} if name == "search" else {})))

    file = registry.label_warehouse(published_home, label_id)
    assert row_of(file, f"select count(*) from marts.track_features where {parameter}_id = '{value}'")[0] > 0


@pytest.mark.parametrize("viewer", ["operator", "label"])
@pytest.mark.parametrize("page", ["trends", "overview", "search"])
def test_a_menu_lists_every_page_that_a_table_leads_to(
    open_page: Open, monkeypatch: pytest.MonkeyPatch, label_id: str, page: str, viewer: str
) -> None:
    """Without a mouse, names in the cells cannot be opened: each id of the rows is in the menu once."""
    walk, words = Walk(monkeypatch), {"q": "club"} if page == "search" else {}
    opened = open_page(page, label=label_id if viewer == "label" else None, **words)

    menus = {menu.proto.id.rsplit("-", 1)[-1]: menu.proto.options for menu in opened.get("menu_button")}
    columns = ["track_id", "artist_id"] + (["label_id"] if viewer == "operator" else [])
    for key in walk.shown.tables:
        rows = walk.shown.rows[key]
        ids = {value for name in columns if name in rows.columns for value in rows[name].drop_nulls()}
        options = menus.get(f"{key}_open", [])
        assert len(set(options)) == len(options) == len(ids)
    assert menus


def test_names_that_lead_to_several_pages_are_followed_by_the_id() -> None:
    """A page that several rows lead to is listed once; a row without a name is listed by its id, without ids not."""
    rows = pl.DataFrame(
        {
            "title": ["Parade", "Parade", None, "Ink"],
            "track_id": ["t1", "t2", "t3", None],
            "artist_name": ["Ada", "Ada", "Ada", "Bo"],
            "artist_id": ["a1", "a1", "a1", "a2"],
        }
    )

    found = links.targets(rows, {"title": ["track_id"], "artist_name": ["artist_id"]})

    assert list(found.items()) == [
        ("Parade (t1)", (links.TRACK, "t1")),
        ("Parade (t2)", (links.TRACK, "t2")),
        ("t3", (links.TRACK, "t3")),
        ("Ada", (links.ARTIST, "a1")),
        ("Bo", (links.ARTIST, "a2")),
    ]
    assert links.targets(rows, {}) == links.targets(rows.clear(), {"title": ["track_id"]}) == {}


def test_names_of_labels_are_links_for_operators_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row's first id counts; without the id of what is named, there is no link."""
    columns = ["title", "track_id", "label_name", "label_id", "artist_name", "n_plays"]
    for label, expected in ((None, {"title", "label_name"}), ("lb_1", {"title"})):
        monkeypatch.setattr("dashboards.access.viewer", lambda label=label: Viewer("ann", label, Path()))

        assert links.linked(columns).keys() == expected


def test_buttons_are_literal() -> None:
    """A name that Streamlit would read as an icon or a menu begins with a character without width."""
    names = [":material/delete:", "[a, b]", " [x](y)", "Ada", None, "a [b]"]

    shown = parts._with_buttons(pl.DataFrame({"name": names, "other": names, "id": None}), {"name": ["id"]})

    joined = ["\u2060:material/delete:", "\u2060[a, b]", "\u2060 [x](y)", "Ada", None, "a [b]"]
    assert shown["name"].to_list() == joined
    assert shown["other"].to_list() == names


def test_only_names_that_open_a_page_are_marked() -> None:
    """All others, and songs of other labels, have no id; the first id of several is enough."""
    rows = pl.DataFrame({"name": ["Ada", "all others", "Bo"], "a": ["x", None, None], "b": [None, None, "y"]})

    shown = parts._with_buttons(rows, {"name": ["a", "b"]})

    assert shown["name"].to_list() == ["Ada \u203a", "all others", "Bo \u203a"]


@pytest.mark.parametrize("viewer", ["operator", "label"])
def test_a_search_is_offered_beside_the_pages(open_page: Open, label_id: str, viewer: str) -> None:
    """The words lead to the page Search; nothing happens without words."""
    label = label_id if viewer == "label" else None
    for name in ("overview", "sql", "search"):
        page = open_page(name, label=label)

        assert searched(page, " ") == []
        assert searched(page, " love & 2024 ") == [("search", "q", "love+%26+2024")]


def searched(page: AppTest, words: str) -> list[tuple[str, str, str]]:
    """Search for words in the box of the menu, and return the link that is followed."""
    page.sidebar.text_input(key="search_words").set_value(words)
    (submit,) = (button for button in page.sidebar.button if button.label == "Search")
    return follow_all(submit.click().run())


def test_a_search_that_shows_the_first_hundred_says_so(open_page: Open, published_home: Home) -> None:
    """With the number of all results; a search that shows all says nothing."""
    sql = "select count(*) from marts.track_features where starts_with(track_id, 'trk_') and title is not null"
    (n_found,) = row_of(published_home.published_warehouse(), sql)

    page = open_page("search", q="trk_")

    assert len(page.dataframe[0].value) == 100
    assert page.header[0].value.startswith(f"{n_found:,} results")
    assert f"100 of {n_found:,} are shown. Add a word, or choose a filter." in [one.value for one in page.caption]
    shown = open_page("search", q="trk_1 the club")
    assert not any("are shown" in one.value for one in shown.caption)


@pytest.mark.parametrize("is_label", [False, True])
def test_the_start_page_has_two_addresses(*, is_label: bool) -> None:
    """The menu shows that of the app; its own name, which links of other pages resemble, is one as well."""

    def script(is_label: bool) -> None:
        import streamlit as st  # noqa: PLC0415 - the script of an app of its own

        from dashboards.menu import menu  # noqa: PLC0415

        for pages in menu(is_label=is_label).values():
            for page in pages:
                st.text(f"{page.title}: /{page.url_path}, {page.visibility}")

    shown = [text.value for text in AppTest.from_function(script, args=(is_label,)).run().text]

    assert [text for text in shown if text.startswith("Home")] == ["Home: /, visible", "Home: /overview, hidden"]
    assert "Trends: /trends, visible" in shown
    assert len(shown) == len({text.split(": ")[1] for text in shown})
    assert ("Models: /models, visible" in shown) != is_label
