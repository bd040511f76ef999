"""
Every figure of every page is the one that the raw rows give, computed again by polars without marts and queries.

A figure that nobody knows how to compute again fails, unless WITHOUT_TRUTH gives the reason.
"""

from collections.abc import Callable, Iterator
from itertools import islice

import pytest

from dashboards.menu import headers
from recsys.home import Home

from .conftest import PAGES, Open
from .truth.closings import Closings
from .truth.lists import ListsTruth
from .truth.page import Truth
from .truth.rows import Lake
from .views import View, Views, of_label, of_operator
from .walk import Walk, problems

FOR_LABELS = [name for name in PAGES if headers()[name].for_labels]
MODEL = "an estimate of a model; a benchmark compares it with what came true"
FIT = "a statistic of a fit or a sample; the tests of its mart compare it with another implementation"
SIZE = "sizes of tables, as the build counts them"
STORED = "a metric or a verdict that a run has stored"
PLANTED = "conflicts of the registry; the tests of rights compare them with planted ones"
TEXT = "the texts of a table whose values are compared"
WITHOUT_TRUTH = {
    **{f"overview.{key}_curves": "the curves of the morning report" for key in ("breakouts", "drops")},
    "artist.forecast": MODEL,
    "artist.decay": FIT,
    "breakouts.sentences": FIT,
    **{
        f"breakouts.{key}.{name}": FIT
        for key in ("breakouts", "breakouts_table")
        for name in ("started_on", "n_expected", "z", "velocity", "acceleration")
    },
    "catalogue.Duplicate": STORED,
    "catalogue.outcomes.n_duplicate": STORED,
    "catalogue.outcomes.refused_share": STORED,
    **{
        f"charts.{key}.{name}": MODEL
        for key in ("candidates", "candidates_table")
        for name in ("probability", "low", "high", "n_similar", "n_similar_reached", "n_editions")
    },
    "charts.half_lives": FIT,
    "charts.sentences": MODEL,
    **{f"exposure.{key}.{name}": FIT for key in ("labels", "groups") for name in ("low", "high", "market_ratio")},
    **{f"fairness.{key}.{name}": FIT for key in ("exposure", "exposure_ratio") for name in ("low", "high")},
    "fairness.rule_effects": STORED,
    "fairness.group_quality": STORED,
    "fairness.Share without the target": MODEL,
    "fairness.Share with the target": MODEL,
    "fairness.Relevance kept": MODEL,
    "fairness.Recordings replaced": MODEL,
    "models.Refused by the gate": STORED,
    "models.Runs": STORED,
    "models.nDCG of the last run": STORED,
    "models.drift": STORED,
    "models.metrics": STORED,
    "models.runs": STORED,
    "operations.Free space": "a property of the machine",
    "recommendations.candidates": MODEL,
    **{f"rights.{key}": PLANTED for key in ("kinds", "kinds_table", "conflicts", "claims")},
    "sql.answer": "the result of a query that its reader typed",
    "sql.columns": SIZE,
    "sql.dictionary": SIZE,
    "sql.sentences": TEXT,
    "track.playlist_effects": FIT,
    "track.sentences": TEXT,
    "track.track_words": MODEL,
    "trends.growing_clusters": FIT,
}


@pytest.fixture(scope="module")
def lake(published_home: Home) -> Lake:
    """The raw rows of the home that pages show."""
    return Lake(published_home.path / "lake")


@pytest.fixture(scope="module")
def lists(lake: Lake, published_home: Home) -> ListsTruth:
    """The exported lists."""
    return ListsTruth.published(lake, published_home)


@pytest.fixture(scope="module")
def views_of(lake: Lake, lists: ListsTruth) -> Callable[[str, int], Views]:
    """A function that returns the views of a label's pages: every n-th artist and recording."""
    closings = Closings(lake)
    return lambda label, every: of_label(label, closings, lists, every)


def differences(walk: Walk, open_page: Open, page: str, views: Views, label: str | None = None) -> Iterator[str]:
    """Open the views of a page and yield every figure that differs from its truth, or has none."""
    opened = None
    for view in views.get(page, iter([View(lambda _: Truth())])):
        if opened is None or view.address:
            opened = open_page(page, label=label, **view.address)
            assert opened.title[0].value == headers()[page].title
            assert label is None or "Label" not in [box.label for box in opened.selectbox]
        shown = walk.view(opened, view.choices)
        found = problems(shown, view.truth(shown), page, WITHOUT_TRUTH)
        yield from (f"{label or 'operator'}, {shown.view}: {problem}" for problem in found)


@pytest.fixture
def walk(monkeypatch: pytest.MonkeyPatch) -> Walk:
    """A visitor who records what pages show."""
    return Walk(monkeypatch)


@pytest.mark.parametrize("page", PAGES)
def test_the_first_view_of_a_page_shows_the_figures_of_the_raw_rows(
    walk: Walk, open_page: Open, lists: ListsTruth, page: str
) -> None:
    """To the operator."""
    assert [*differences(walk, open_page, page, first(of_operator(lists, 100)))] == []


@pytest.mark.parametrize("page", FOR_LABELS)
def test_the_first_view_of_a_labels_page_shows_the_figures_of_the_raw_rows(
    walk: Walk, open_page: Open, views_of: Callable[[str, int], Views], label_id: str, page: str
) -> None:
    """To the largest label."""
    views = first(views_of(label_id, 100))

    assert [*differences(walk, open_page, page, views, label_id)] == []


def first(views: Views) -> Views:
    """Return the first view of each page."""
    return {page: islice(of_page, 1) for page, of_page in views.items()}


def third(views: Views, no: int = 0) -> Views:
    """Return every third view of each page, from the first, second or third one."""
    return {page: islice(of_page, no % 3, None, 3) for page, of_page in views.items()}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_views_show_an_operator_the_figures_of_the_raw_rows(
    walk: Walk, open_page: Open, lists: ListsTruth, page: str
) -> None:
    """With each period, label, grouping and problem, though not each with every other, and every twelfth artist."""
    found = [*differences(walk, open_page, page, third(of_operator(lists, 4)))]

    assert not found, "\n".join(found)


@pytest.mark.slow
@pytest.mark.parametrize("page", FOR_LABELS)
def test_views_show_a_label_the_figures_of_the_raw_rows(
    walk: Walk, open_page: Open, lake: Lake, views_of: Callable[[str, int], Views], page: str
) -> None:
    """To every label, one of three with each period, grouping and problem, and with every ninth artist."""
    labels = lake.tracks["label_id"].drop_nulls().unique().sort()
    found = [
        problem
        for no, label in enumerate(labels)
        for problem in differences(walk, open_page, page, third(views_of(label, 3), no), label)
    ]

    assert len(labels) == 6
    assert not found, "\n".join(found)
