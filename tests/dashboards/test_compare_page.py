"""The page Compare: links carry what is compared, unknown ids show nothing, a label compares its own weeks only."""

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from recsys.home import Home

from .conftest import Open, failures, unmarked
from .truth.closings import Closings
from .truth.rows import ONE_DAY, Lake, between
from .walk import plain


@pytest.fixture(scope="module")
def lake(published_home: Home) -> Lake:
    """The raw rows of the home that pages show."""
    return Lake(published_home.path / "lake")


@pytest.fixture(scope="module")
def artists(lake: Lake, label_id: str) -> list[str]:
    """The artists of the label that are played most, most plays first."""
    own = lake.rows.filter(label_id=label_id).group_by("artist_id").agg(pl.col("n_plays").sum())
    return own.sort("n_plays", "artist_id", descending=[True, False])["artist_id"].to_list()


def texts(page: AppTest) -> list[str]:
    """Return the notes and messages of a page, without markup."""
    return [plain(one.value) for one in [*page.caption, *page.info, *page.warning]]


@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_a_link_reproduces_what_is_compared(
    open_page: Open, label_id: str, lake: Lake, artists: list[str], is_label: bool
) -> None:
    """In the order of its ids; the totals are sums of the raw rows, for a label of its closed weeks."""
    chosen = [artists[2], artists[0], artists[1]]

    page = open_page("compare", label=label_id if is_label else None, artists=chosen, weeks="4")

    assert failures(page) == []
    assert page.query_params["artists"] == chosen
    names = dict(lake.artists.iter_rows())
    shown = page.dataframe[0].value
    assert unmarked(shown["name"]) == [names[artist] for artist in chosen]
    first, last = lake.last_day - 27 * ONE_DAY, lake.last_day
    if is_label:
        weeks = [week for week in Closings(lake).weeks(label_id, "n_plays") if week[1] >= first]
        first, last = min(weeks)[0], max(weeks)[1]
    rows = between(lake.rows, first, last)
    expected = [rows.filter(artist_id=artist)["n_plays"].sum() for artist in chosen]
    assert shown["n_plays"].tolist() == expected


@pytest.mark.parametrize("key", ["artists", "tracks"])
@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_a_link_with_an_unknown_id_shows_nothing_else(
    open_page: Open, label_id: str, artists: list[str], key: str, is_label: bool
) -> None:
    """Although another id of it is known; the value is not repeated."""
    known = {"artists": artists[:1]}.get(key, [])

    page = open_page("compare", label=label_id if is_label else None, **{key: [*known, "no_such_id"]})

    assert "is not known: removed or not yours." in plain(page.warning[0].value)
    assert not any("no_such_id" in text for text in texts(page))
    assert [*page.dataframe, *page.get("vega_lite_chart"), *page.selectbox, *page.multiselect] == []
    assert failures(page) == []


@pytest.mark.parametrize("kind", ["artist", "track"])
def test_a_label_compares_its_own_only(open_page: Open, lake: Lake, label_id: str, kind: str) -> None:
    """Another label's id reads as one that does not exist."""
    others = lake.tracks.filter(pl.col("label_id") != label_id).drop_nulls("artist_id")
    own = lake.tracks.filter(label_id=label_id)
    other = others.join(own, on="artist_id", how="anti").sort("track_id")[f"{kind}_id"][0]

    pages = [open_page("compare", label=label_id, **{f"{kind}s": [value]}) for value in (other, "no_such_id")]

    assert texts(pages[0]) == texts(pages[1])
    assert pages[0].warning


def test_nothing_chosen_says_so(open_page: Open, artists: list[str]) -> None:
    """After the last one was taken away, the address has none."""
    page = open_page("compare", artists=[artists[0]])

    page.multiselect[0].set_value([]).run()

    assert "Nothing is chosen. Choose artists to compare." in texts(page)
    assert page.query_params["artists"] in ([""], "")
    assert failures(page) == []


def test_one_thing_alone_and_more_than_five(open_page: Open, artists: list[str]) -> None:
    """One has a chart; of seven ids in a link, the first five are shown, and the page says so."""
    alone, many = open_page("compare", artists=[artists[0]]), open_page("compare", artists=artists[:7])

    assert len(alone.dataframe[0].value) == 1
    assert many.multiselect[0].value == artists[:5]
    assert "The first 5 are shown." in texts(many)
    assert "The first 5 are shown." not in texts(alone)


def test_what_has_no_figure_is_named(open_page: Open, lake: Lake, label_id: str) -> None:
    """A label's recording with too few listeners is not drawn as 0: the page says so."""
    own = lake.rows.filter(pl.col("n_plays") > 0, label_id=label_id)
    few = own.group_by("track_id").agg(pl.col("user_id").n_unique()).filter(pl.col("user_id") < 20)
    track = lake.tracks.join(few, on="track_id", how="semi").drop_nulls("title").sort("track_id").row(0, named=True)

    page = open_page("compare", label=label_id, tracks=[track["track_id"]])

    assert "No figures: every week had under 20 listeners. Choose others, or a longer period." in texts(page)
    assert [*page.dataframe, *page.get("vega_lite_chart")] == []


@pytest.mark.parametrize("kind", ["artist", "track"])
@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_pages_lead_to_the_comparison(open_page: Open, label_id: str, kind: str, is_label: bool) -> None:
    """Artist and Track have a link with the id of what they show, which the page knows."""
    label = label_id if is_label else None

    (link,) = (it.proto for it in open_page(kind, label=label).get("page_link") if "Compare" in it.proto.label)

    key, value = link.query_string.split("=")
    assert (link.page, key) == ("compare", f"{kind}s")
    page = open_page("compare", label=label, **{key: [value]})
    assert page.multiselect[0].value == [value]
    assert failures(page) == []
    assert not page.warning
