"""Pages about matches, models, saved questions and one listener's list: what they show of what is known."""

import polars as pl
import pytest

from recsys.home import Home
from recsys.published.explain import candidates
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures


def test_a_dropped_file_without_fingerprints_is_answered_in_words(open_page: Open) -> None:
    """What to do is said above the uses that the nights found, which stay."""
    page = open_page("matches")

    page.file_uploader[0].upload("mix.wav", b"no sound", "audio/wav").run()

    assert "recsys audio scan" in page.error[0].value
    assert page.header[0].value == "Uses that the nights found"
    assert not page.exception


def test_matches_say_that_alike_is_not_infringed(open_page: Open, label_id: str) -> None:
    """To an operator and to a label."""
    for label in (None, label_id):
        assert "not that a right was infringed" in open_page("matches", label=label).markdown[0].value


def test_a_saved_question_is_asked_with_its_parameters(open_page: Open) -> None:
    """As many rows as its box says, from a link."""
    page = open_page("sql")
    page.selectbox(key="saved").select("top_tracks").run()
    page.text_input(key="top_tracks_n").set_value("3").run()

    assert failures(page) == []
    assert len(page.dataframe[0].value) == 3


def test_a_saved_question_says_what_it_needs(open_page: Open) -> None:
    """A parameter without a default is asked for, with its meaning."""
    page = open_page("sql")
    page.selectbox(key="saved").select("recommended_to").run()

    assert "It needs user_id" in page.info[0].value


def test_a_label_is_offered_the_questions_that_its_file_answers(open_page: Open, label_id: str) -> None:
    """None about listeners."""
    offered = set(open_page("sql", label=label_id).selectbox(key="saved").options)

    assert "top tracks" in offered
    assert {"recommended to", "kept from", "metric history"}.isdisjoint(offered)


def test_the_runs_have_their_verdicts(open_page: Open, shown: Home) -> None:
    """The newest first, and which of them is current."""
    page = open_page("models")

    runs = next(table.value for table in page.dataframe if "verdict" in table.value.columns)

    assert runs["verdict"].tolist() == ["published"]
    assert runs["run"].tolist() == [shown.current.readlink().name]
    assert runs["is_current"].tolist() == [True]


@pytest.fixture
def listener(shown: Home) -> str:
    """One with a list."""
    with Warehouse.open(shown.published_warehouse()) as warehouse:
        return str(warehouse.query("select min(user_id) from marts.recommendations").item())


def test_candidates_say_which_of_them_the_list_holds(shown: Home, listener: str) -> None:
    """In the recommender's order, each place of the list at most once."""
    found = candidates(shown, listener, 100)

    assert found["rank"].to_list() == list(range(1, 101))
    assert found["score"].is_sorted(descending=True)
    places = found["place"].drop_nulls()
    assert places.n_unique() == len(places) > 0
    assert found.filter(pl.col("title").is_null()).is_empty()


def test_a_listener_may_be_named_in_the_link(open_page: Open, listener: str) -> None:
    """Whoever is not among the most active ones, too; who has no list is told so."""
    page = open_page("recommendations", user_id=listener)
    assert failures(page) == []
    assert len(page.dataframe[0].value) == 20

    page.text_input(key="user_id").set_value("nobody").run()
    assert "nobody has no list" in page.info[0].value


def test_a_recording_that_was_played_says_so(open_page: Open, shown: Home, listener: str) -> None:
    """Why it cannot be on the list, and what the model thinks of it."""
    with Warehouse.open(shown.published_warehouse()) as warehouse:
        sql = "select min(track_id) from marts.interactions where user_id = $user_id and n_plays > 0"
        track_id = str(warehouse.query(sql, {"user_id": listener}).item())
    page = open_page("recommendations", user_id=listener, track_id=track_id)

    assert any("played or skipped already" in text.value for text in page.markdown)

    page.button(key="why").click().run()
    assert failures(page) == []


def test_a_higher_share_keeps_less_of_the_lists(open_page: Open) -> None:
    """What is exchanged grows with the target."""
    page = open_page("fairness")
    exchanged = []
    for target in (0, 60):
        page.slider[0].set_value(target).run()
        exchanged.append(next(each.value for each in page.metric if each.label == "Recordings exchanged"))

    assert exchanged[0] == "0.0%"
    assert exchanged[1] != "0.0%"
