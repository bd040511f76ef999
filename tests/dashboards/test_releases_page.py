"""The page Release room: links carry a release, too few earlier ones have no band, too few listeners are never 0."""

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from recsys.analytics.release_band import N_LEAST
from recsys.home import Home

from .conftest import Open, failures
from .truth.closings import Closings
from .truth.labels import LabelTruth
from .truth.releases import LabelReleasesTruth, ReleasesTruth
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
    assert {metric.value for metric in page.metric} <= {"under 20", "not yet"}
    assert failures(page) == []
