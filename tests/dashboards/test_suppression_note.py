"""A note beside each total shows viewers of a label that small groups are suppressed; operators see complete totals."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.glossary import LISTENING_COUNTS, SUPPRESSION_NOTE
from recsys.warehouse.sqlfile import read_layers

from .conftest import Open

# Counts and numbers in marts of listening that are neither listeners nor plays, skips, saves or the like.
OTHER_COUNTS = {"n_tracks", "n_weeks", "n_countries", "n_places", "months_since", "low", "high"}
TOTALS = {"Plays", "Listeners", "Listeners reached", "Skips", "Saves", "Likes", "Playlist adds", "Shares"}


def n_notes(page: AppTest) -> int:
    """Count the notes on a page."""
    return [caption.value for caption in page.caption].count(SUPPRESSION_NOTE)


def n_required(page: AppTest) -> int:
    """Count the metrics and tables of a page that need a note."""
    tables = [table for table in page.dataframe if not LISTENING_COUNTS.isdisjoint(table.value.columns)]
    return len(tables) + sum(metric.label in TOTALS for metric in page.metric)


@pytest.mark.parametrize("name", ["overview", "artist", "track", "exposure", "trends"])
def test_totals_of_a_label_have_a_note(open_page: Open, label_id: str, name: str) -> None:
    """The note stands beside metrics, tables and figures."""
    page = open_page(name, label=label_id)

    assert n_notes(page) >= n_required(page) > 0


def test_a_labels_own_query_always_has_a_note(open_page: Open, label_id: str) -> None:
    """A count may have any name there, so the SQL page shows the note once per result."""
    page = open_page("sql", label=label_id, sql="select sum(value) as heard from marts.label_figures")
    page.button(key="run_sql").click().run()
    assert n_notes(page) == 1


@pytest.mark.parametrize("name", ["overview", "sql"])
def test_operators_see_no_note(open_page: Open, name: str) -> None:
    """Nothing is suppressed for operators."""
    assert n_notes(open_page(name)) == 0


def test_listening_counts_agree_with_the_headers_of_marts() -> None:
    """LISTENING_COUNTS has the counts of every mart whose header has `people:`, and those that queries compute."""
    marts = [(file, file.label_rules) for file in read_layers().values()]
    counts = {
        name
        for file, rules in marts
        if rules and rules.people
        for name, column in file.columns.items()
        if column.unit == "count"
    }

    assert counts - OTHER_COUNTS == LISTENING_COUNTS - {"n_plays_before", "plays_a_day", "difference"}
