"""The review page: an operator accepts or rejects what the cleaning found."""

from collections.abc import Callable

import pytest

from recsys.home import Home, locked
from recsys.lake.store import Lake
from recsys.state.actions import Actor, actions

from .conftest import Open, failures


def test_a_finding_is_rejected_on_the_page(
    open_page: Open, published_home: Home, copy_of: Callable[[Home], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It leaves the list of links at once, and the decision is a row of the lake."""
    home = copy_of(published_home)
    monkeypatch.setenv("RECSYS_HOME", str(home.path))
    page = open_page("review")
    page.selectbox(key="status").select("linked").run()
    offered = list(page.selectbox(key="finding").options)

    page.button(key="reject").click().run()

    assert failures(page) == []
    assert list(page.selectbox(key="finding").options) == offered[1:]
    rows = Lake(home).rows("review_decisions").select("decision", "decided_by").collect().rows()
    assert rows == [("rejected", "operator on this machine")]
    (logged,) = actions(home)
    assert (logged.action, logged.subject, logged.outcome) == (
        "review rejected",
        offered[0].rpartition(", ")[2],
        "done",
    )
    assert logged.actor == Actor("operator on this machine", "this machine")


def test_a_decision_waits_for_a_run(
    open_page: Open, published_home: Home, copy_of: Callable[[Home], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a run has the home's lock, the page says so and nothing is stored."""
    home = copy_of(published_home)
    monkeypatch.setenv("RECSYS_HOME", str(home.path))
    page = open_page("review")
    page.selectbox(key="status").select("linked").run()

    with locked(home):
        page.button(key="accept").click().run()

    assert "is locked by another run" in page.error[0].value
    assert Lake(home).rows("review_decisions").collect().is_empty()
