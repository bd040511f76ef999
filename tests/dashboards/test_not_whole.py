"""A label's totals lack what its file lacks, and each says so; an operator's are whole."""

import pytest
from streamlit.testing.v1 import AppTest

from dashboards.glossary import FROM_LISTENING, NOT_WHOLE
from recsys.warehouse.sqlfile import read_layers

from .conftest import Open

# Counts in marts that come from listening, and that are none of people or of what they did.
OF_OTHERS = {"n_tracks", "n_weeks", "n_countries", "n_places", "months_since", "low", "high"}
TOTALS = {"Plays", "Listeners", "Skips", "Saves", "Plays, 28 days", "Saves, 28 days", "Playlist adds, 28 days"} | {
    *("Plays, last day", "Listeners, last day", "Listeners shown any", "Likes", "Playlist adds", "Shares")
}


def said(page: AppTest) -> int:
    """How often a page says it."""
    return [caption.value for caption in page.caption].count(NOT_WHOLE)


def expected(page: AppTest) -> int:
    """Of how many numbers and tables of a page it must be said."""
    tables = [table for table in page.dataframe if not FROM_LISTENING.isdisjoint(table.value.columns)]
    return len(tables) + sum(metric.label in TOTALS for metric in page.metric)


@pytest.mark.parametrize("name", ["overview", "artist", "track", "exposure", "trends"])
def test_each_total_of_a_label_says_that_it_is_not_the_whole(open_page: Open, label_id: str, name: str) -> None:
    """Beside numbers, tables and figures."""
    page = open_page(name, label=label_id)

    assert said(page) >= expected(page) > 0


def test_a_labels_own_question_may_give_a_total_of_any_name(open_page: Open, label_id: str) -> None:
    """So the SQL page says it of each answer, once."""
    page = open_page("sql", label=label_id, sql="select sum(n_plays) as heard from marts.track_daily")
    assert said(page) == 1

    page.text_area[0].set_value("select n_plays from marts.track_daily").run()
    assert said(page) == 1


@pytest.mark.parametrize("name", ["overview", "sql"])
def test_an_operators_totals_are_whole(open_page: Open, name: str) -> None:
    """Nothing is left out for them."""
    assert said(open_page(name)) == 0


def test_every_count_of_people_is_known_to_be_one() -> None:
    """The counts of each mart whose header names its people, and those that pages compute."""
    marts = [(file, file.label_rules) for file in read_layers().values()]
    counts = {
        name
        for file, rules in marts
        if rules and rules.people
        for name, column in file.columns.items()
        if column.unit == "count"
    }

    assert counts - OF_OTHERS == FROM_LISTENING - {"n_plays_before", "plays_a_day", "difference"}
