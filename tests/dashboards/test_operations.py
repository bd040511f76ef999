"""The pages Matches, Models, SQL, Recommendations and Fairness show what the published home contains."""

import polars as pl
import pytest

from dashboards.parts import OPENS
from recsys.home import Home
from recsys.published.explain import candidates
from recsys.warehouse.query import Warehouse

from .conftest import Open, failures


def test_an_upload_without_fingerprints_shows_what_to_do(open_page: Open) -> None:
    """The message is above the uses found by nightly runs, which are still shown."""
    page = open_page("matches")

    page.file_uploader[0].upload("mix.wav", b"no sound", "audio/wav").run()

    assert "recsys audio scan" in page.error[0].value
    assert page.header[0].value == "Uses found by nightly runs"
    assert not page.exception


def test_matches_explain_that_a_match_is_not_an_infringement(open_page: Open, label_id: str) -> None:
    """Both operators and labels see the sentence."""
    for label in (None, label_id):
        assert "not that a right was infringed" in open_page("matches", label=label).markdown[0].value


def test_a_saved_query_runs_with_its_parameters(open_page: Open) -> None:
    """The result has as many rows as the parameter n."""
    page = open_page("sql")
    page.selectbox(key="saved").select("top_tracks").run()
    page.text_input(key="top_tracks_n").set_value("3").run()

    assert failures(page) == []
    assert len(page.dataframe[0].value) == 3


def test_a_saved_query_names_a_missing_parameter(open_page: Open) -> None:
    """A parameter without a default must be filled in."""
    page = open_page("sql")
    page.selectbox(key="saved").select("recommended_to").run()

    assert "needs a value for user_id" in page.info[0].value


def test_a_label_is_offered_the_queries_that_its_file_can_run(open_page: Open, label_id: str) -> None:
    """Queries about single listeners are not offered."""
    options = set(open_page("sql", label=label_id).selectbox(key="saved").options)

    assert {"label totals", "artist recordings"} <= options
    assert {"recommended to", "kept from", "metric history"}.isdisjoint(options)


def test_runs_are_listed_with_their_verdicts(open_page: Open, published_home: Home) -> None:
    """The newest run comes first, and the current one is marked."""
    page = open_page("models")

    runs = next(table.value for table in page.dataframe if "verdict" in table.value.columns)

    assert runs["verdict"].tolist() == ["published"]
    assert runs["run"].tolist() == [published_home.current.readlink().name]
    assert runs["is_current"].tolist() == [True]


@pytest.fixture
def listener(published_home: Home) -> str:
    """A listener with a list."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        return str(warehouse.query("select min(user_id) from marts.recommendations").item())


def test_candidates_say_which_of_them_the_list_holds(published_home: Home, listener: str) -> None:
    """Candidates are in the recommender's order, and no rank of the list is repeated."""
    rows = candidates(published_home, listener, 100)

    assert rows["rank"].to_list() == list(range(1, 101))
    assert rows["score"].is_sorted(descending=True)
    ranks = rows["place"].drop_nulls()
    assert ranks.n_unique() == len(ranks) > 0
    assert rows.filter(pl.col("title").is_null()).is_empty()


def test_a_link_can_name_any_listener(open_page: Open, listener: str) -> None:
    """Listeners outside the box can be opened; an id without a list shows a message."""
    page = open_page("recommendations", user_id=listener)
    assert failures(page) == []
    assert len(page.dataframe[0].value) == 20

    page.text_input(key="user_id").set_value("nobody").run()
    assert "nobody has no list" in page.info[0].value


def test_a_listener_without_candidates_has_a_list(
    open_page: Open, listener: str, published_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recordings of the list can be chosen, as if they had been candidates."""
    none = candidates(published_home, listener, 1).clear()
    monkeypatch.setattr("dashboards.data.candidates", lambda _user_id: none)

    page = open_page("recommendations", user_id=listener)

    assert failures(page) == []
    listed = page.dataframe[0].value["title"].str.removesuffix(OPENS)
    assert page.selectbox(key="recording").options == listed.tolist()


def test_a_played_recording_is_explained(open_page: Open, published_home: Home, listener: str) -> None:
    """The page states the filter that excludes it, and explains the model's score."""
    with Warehouse.open(published_home.published_warehouse()) as warehouse:
        sql = "select min(track_id) from marts.interactions where user_id = $user_id and n_plays > 0"
        track_id = str(warehouse.query(sql, {"user_id": listener}).item())
    page = open_page("recommendations", user_id=listener, track_id=track_id)

    assert any("played or skipped already" in text.value for text in page.markdown)

    page.button(key="why").click().run()
    assert failures(page) == []


def test_a_higher_target_replaces_more_recordings(open_page: Open) -> None:
    """Without a target, no recording is replaced."""
    page = open_page("fairness")
    replaced = []
    for target in (0, 60):
        page.slider[0].set_value(target).run()
        replaced.append(next(metric.value for metric in page.metric if metric.label == "Recordings replaced"))

    assert replaced[0] == "0.0%"
    assert replaced[1] != "0.0%"
