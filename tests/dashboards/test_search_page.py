"""The page Search with terms: results are those of plain SQL, a label sees its own, errors say what to change."""

import pytest

from recsys.home import Home
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures, unmarked

TEXT = "pop, since 2015"
ANSWER = """
select title from marts.track_features
where list_contains(genres, 'pop') and release_date >= date '2015-01-01' and withdrawn_at is null
order by release_date desc, track_id
"""


@pytest.mark.parametrize("viewer", ["operator", "label"])
def test_the_page_shows_what_sql_finds(open_page: Open, published_home: Home, label_id: str, viewer: str) -> None:
    """An operator sees the whole catalogue, a label its own recordings; the title counts all of them."""
    is_label = viewer == "label"
    file = registry.label_warehouse(published_home, label_id) if is_label else published_home.published_warehouse()
    with Warehouse.open(file) as warehouse:
        titles = warehouse.query(ANSWER)["title"].to_list()

    page = open_page("search", label=label_id if is_label else None, q=TEXT)

    assert failures(page) == []
    assert unmarked(page.dataframe[0].value["title"]) == titles[:100]
    assert page.header[0].value == f"{len(titles):,} results, best first"
    assert any("Understood as: pop; released from 2015" in one.value for one in page.caption)


def test_a_label_cannot_compare_with_foreign_recordings(open_page: Open, published_home: Home, label_id: str) -> None:
    """The id of another label's recording is as unknown as one that does not exist."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        sql = f"select min(track_id) as id from marts.track_features where label_id <> '{label_id}'"
        foreign = str(warehouse.query(sql).item())

    page = open_page("search", label=label_id, q=f"like {foreign}")

    (error,) = page.error
    assert "There is no track" in error.value or "cannot be shown" in error.value
    assert [*page.dataframe] == []


def test_a_name_that_reads_like_a_term_is_found(open_page: Open, published_home: Home) -> None:
    """Below the results of the terms stand recordings with these words in their names."""
    sql = "select title from marts.track_features where title like '%Quiet%' order by track_id limit 1"
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        title = str(warehouse.query(sql).item())

    page = open_page("search", q=title)

    assert failures(page) == []
    assert title in unmarked(page.dataframe[-1].value["name"])


def test_no_result_says_what_to_drop(open_page: Open) -> None:
    """With the number of results without a term."""
    (message,) = open_page("search", q="pop, before 1901").info

    assert "No recording satisfies all terms" in message.value
    assert "Without “released to 1900-12-31”" in message.value


@pytest.mark.parametrize("text", ["pop or", "120 bpm " * 200, '""'])
def test_a_text_that_cannot_be_read_is_explained(open_page: Open, text: str) -> None:
    """The page shows the error, or results, and never a traceback."""
    page = open_page("search", q=text)

    assert [*page.exception] == []
