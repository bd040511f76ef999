"""Every figure on the pages of labels against the raw rows, computed another way, and figures on two pages."""

from collections import defaultdict
from dataclasses import dataclass, field

import pytest
from streamlit.testing.v1 import AppTest
from typing_extensions import override

from recsys.home import Home
from tests.dashboards import test_two_pages
from tests.dashboards.conftest import Open, opener
from tests.dashboards.test_every_figure import differences
from tests.dashboards.truth.closings import Closings
from tests.dashboards.truth.lists import ListsTruth
from tests.dashboards.truth.rows import Lake
from tests.dashboards.views import of_label
from tests.dashboards.walk import Shown, Walk, figures_of


@dataclass
class Counts:
    """
    What the pages of labels show.

    Attributes:
        n_views: Views of pages.
        n_figures: Numbers and dates on them whose truth is known.
        different: Those that differ from the raw rows, or have no truth, as messages.
        n_repeated: Figures that stand on two or more pages.
        disagreeing: Those that differ between pages, as messages.
    """

    n_views: int = 0
    n_figures: int = 0
    different: list[str] = field(default_factory=list)
    n_repeated: int = 0
    disagreeing: list[str] = field(default_factory=list)


class CountingWalk(Walk):
    """A visitor who counts the figures that they see."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, counts: Counts) -> None:
        super().__init__(monkeypatch)
        self.counts = counts

    @override
    def read(self, page: AppTest, view: str) -> Shown:
        """Count the metrics and the cells of a view."""
        shown = super().read(page, view)
        cells = (rows.height * len(figures_of(rows)) for rows in shown.rows.values())
        self.counts.n_views += 1
        self.counts.n_figures += len(shown.metrics) + sum(cells)
        return shown


def walk_labels(home: Home, labels: list[str], every: int) -> Counts:
    """Open the pages of some labels: all views, of every n-th artist."""
    lake, counts = Lake(home.path / "lake"), Counts()
    closings, lists = Closings(lake), ListsTruth.published(lake, home)
    with pytest.MonkeyPatch.context() as monkeypatch, opener(home, monkeypatch) as open_page:
        walk = CountingWalk(monkeypatch, counts)
        for label in labels:
            views = of_label(label, closings, lists, every)
            for page in views:
                counts.different += differences(walk, open_page, page, views, label)
            _compare(counts, walk, open_page, label)
    return counts


def _compare(counts: Counts, walk: Walk, open_page: Open, label: str) -> None:
    """Compare the figures that stand on two pages of a label."""
    values, places = defaultdict[object, set[str]](set), defaultdict[object, set[str]](set)
    for meaning, place, value in test_two_pages.of_label(walk, open_page, label):
        values[meaning].add(value)
        places[meaning].add(place)
    counts.n_repeated += sum(len(found) > 1 for found in places.values())
    counts.disagreeing += [f"{label}, {meaning}: {found}" for meaning, found in values.items() if len(found) > 1]
