"""The page Search with terms: results are those of plain SQL, a label sees its own, errors say what to change."""

from typing import NoReturn

import pytest

from dashboards import data
from recsys.errors import InputError, RecsysError, SetupError
from recsys.home import Home
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures, unmarked

TEXT = "pop, since 2015"
ANSWER = """
select title from (
    select distinct on (coalesce(same_as, track_id)) *
    from marts.track_features left join marts.duplicate_links using (track_id)
    where list_contains(genres, 'pop') and release_date >= date '2015-01-01' and withdrawn_at is null
    order by release_date desc, track_id
) as recordings order by release_date desc, track_id
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

    for track_id in (foreign, "trk_none"):
        page = open_page("search", label=label_id, q=f"like {track_id}")

        (error,) = page.error
        assert f"There is no track '{track_id}'. Give its id, or its title in quotes with by ARTIST" in error.value
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

    assert "no recording satisfies all terms" in message.value
    assert "Without “released to 1900-12-31”" in message.value


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("120 bpm " * 200, "The search has 1,599 characters, expected at most 1,000"),
        ('""', "has no letter or digit"),
        ("available in EU", "names no country"),
    ],
)
def test_a_text_that_cannot_be_read_is_explained(open_page: Open, text: str, message: str) -> None:
    """The page shows what is wrong with it, and never a traceback."""
    page = open_page("search", q=text)

    assert [*page.exception] == []
    assert any(message in box.value for box in (*page.error, *page.info))


def test_words_are_found_without_accents(open_page: Open, published_home: Home) -> None:
    """Where names are not spelled like the words; either of two words is a term."""
    sql = r"""
    select strip_accents(word) as word from (
        select unnest(string_split(artist_name, ' ')) as word from marts.track_features where withdrawn_at is null
    ) as words where strip_accents(word) <> word and regexp_full_match(word, '\p{L}{5,}') order by word limit 1
    """
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        word = str(warehouse.query(sql).item())
        count = "select count(*) as n from marts.track_features where withdrawn_at is null and "
        n = warehouse.query(f"{count} contains(strip_accents(concat_ws(' ', title, artist_name)), '{word}')").item()

    page, either = open_page("search", q=word), open_page("search", q=f"{word} or Qzxv")

    assert failures(page) == failures(either) == []
    assert len(page.dataframe[0].value) >= min(n, 100) > 0
    assert len(either.dataframe[0].value) == len(page.dataframe[0].value)


def test_an_unknown_word_gets_a_suggestion(open_page: Open) -> None:
    """Also where only names are searched."""
    (message,) = open_page("search", q="Brazilan").info

    assert message.value.endswith("For “brazilan”, did you mean: brazilian?")


@pytest.mark.parametrize("error", [SetupError("The index is damaged"), InputError("The query failed: no table")])
def test_names_are_searched_where_terms_cannot_be(
    open_page: Open, published_home: Home, monkeypatch: pytest.MonkeyPatch, error: RecsysError
) -> None:
    """With an index that is damaged, or a release without a table, the page says so and still finds names."""

    def broken() -> NoReturn:
        raise error

    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        title = str(warehouse.query("select min(title) from marts.track_features").item())
    monkeypatch.setattr(data, "_catalogue", broken)

    page, nothing = open_page("search", q=title), open_page("search", q="qzxv qzxv")

    assert [box.value for box in page.error] == [box.value for box in nothing.error] != []
    assert title in unmarked(page.dataframe[0].value["name"])
    assert nothing.info[0].value.startswith("**No results for")
