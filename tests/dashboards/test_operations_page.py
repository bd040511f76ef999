"""The page Operations: how the last run ended and what to do, and the return to an earlier release."""

import json
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from dashboards import actions, operations
from recsys.errors import InputError
from recsys.home import Home, locked
from recsys.releases import registry

from .conftest import Open, failures
from .walk import plain

LATER = "2026-07-01-ffffffff"


@pytest.fixture
def home(published_home: Home, copy_of: Callable[[Home], Home], monkeypatch: pytest.MonkeyPatch) -> Home:
    """A copy of the home with a second release, `earlier`, made of the same parts; the first is current."""
    copied = copy_of(published_home)
    monkeypatch.setenv("RECSYS_HOME", str(copied.path))
    name, release = registry.current_name(copied), registry.current(copied)
    assert name is not None
    assert release is not None
    registry.publish(copied, "earlier", release)
    registry.make_current(copied, name)
    return copied


def write_run(home: Home, events: list[dict[str, object]], verdict: dict[str, object] | None = None) -> None:
    """Write the folder of a run after the published one."""
    folder = home.runs / LATER
    folder.mkdir()
    (folder / "log.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
    if verdict is not None:
        (folder / "verdict.json").write_text(json.dumps(verdict))


def first_lines(page: AppTest) -> list[str]:
    """Return the sentences below the title, without markup."""
    return [plain(line) for line in page.markdown[1].value.splitlines()]


FAILURE = {"measure": "plays on 2026-07-01", "found": "3", "expected": "at least 10 %", "remedy": "Ingest the files"}


def test_a_refusal_says_what_was_found_and_expected(open_page: Open, home: Home) -> None:
    """One row per check that failed."""
    write_run(
        home,
        [{"event": "done", "step": "gate", "seconds": 1}],
        {"passed": False, "reasons": ["few plays"], "failures": [FAILURE]},
    )

    page = open_page("operations")

    assert failures(page) == []
    assert first_lines(page) == [f"The last run, {LATER}, was refused by the gate."]
    assert page.dataframe[0].value.to_dict("records") == [FAILURE]


@pytest.mark.parametrize(
    ("winner", "said"),
    [
        ("blend", "preferred blend to als"),
        ("als", "preferred als to blend"),
        ("", "preferred neither blend nor als"),
    ],
)
def test_what_listeners_of_interleaved_lists_preferred_is_said(
    open_page: Open, home: Home, winner: str, said: str
) -> None:
    """With the difference, always of the exported recommender minus its challenger, and its interval."""
    found = {"recommender": "blend", "challenger": "als", "mean": -0.125, "low": -0.5, "high": 0.25, "n_users": 1_234}
    write_run(
        home,
        [{"event": "done", "step": "gate", "seconds": 1}],
        {"passed": True, "reasons": [], "failures": [], "interleaving": found | {"p_value": 0.5, "winner": winner}},
    )

    page = open_page("operations")

    assert failures(page) == []
    assert first_lines(page)[-1] == (
        f"In interleaved lists listeners {said}: -0.12 plays per listener of blend minus als (95 % interval -0.50 to "
        "+0.25, 1,234 listeners)."
    )


START: dict[str, object] = {"event": "start", "step": "train", "at": "2026-07-02T02:00:00.000+00:00"}
FAILED: dict[str, object] = {
    "event": "failed",
    "step": "train",
    "at": "2026-07-02T02:03:05.000+00:00",
    "error": "MemoryError in a.py",
}
STOPPED = f"The last run, {LATER}, stopped in train at 2026-07-02"


@pytest.mark.parametrize(
    ("events", "sentence"),
    [
        ([START, FAILED], f"{STOPPED} 02:03 UTC: MemoryError in a.py."),
        ([START], f"{STOPPED} 02:00 UTC: it was killed, or the machine stopped. Check memory and disk space."),
    ],
)
def test_a_run_that_stopped_says_where_why_and_how_to_continue(
    open_page: Open, home: Home, events: list[dict[str, object]], sentence: str
) -> None:
    """The step, the time, the error, and the command."""
    write_run(home, events)

    lines = first_lines(open_page("operations"))

    assert lines[0] == sentence
    assert lines[1].endswith("recsys nightly --resume --date 2026-07-01")


def test_a_run_in_progress_is_no_fault(open_page: Open, home: Home) -> None:
    """While its process holds the lock of the home."""
    write_run(home, [START])

    with locked(home):
        page = open_page("operations")

    assert first_lines(page) == [f"The run {LATER} is in progress: train."]


NIGHTS = [
    ("2026-07-01-aaaaaaaa", "2026-07-02T02:10:00+00:00", 5),
    ("2026-07-02-bbbbbbbb", "2026-07-03T02:12:30+00:00", 8),
]


def test_a_late_night_and_a_growing_home_are_seen(open_page: Open, home: Home) -> None:
    """The night took 12.5 minutes, the one before 10; that of the fixture is away. The lake grew from 5 to 8 GB."""
    (fixture,) = home.runs.iterdir()
    fixture.rename(home.path / "set-aside")
    for name, end, gigabytes in NIGHTS:
        folder = home.runs / name
        folder.mkdir()
        events: list[dict[str, object]] = [
            {"event": "start", "step": "build", "at": f"{end[:10]}T02:00:00+00:00"},
            {"event": "done", "step": "build", "at": end, "seconds": 500},
            {"event": "disk", "at": end, "parts": {"lake": gigabytes * 10**9, "models": 10**9}},
        ]
        (folder / "log.jsonl").write_text("".join(f"{json.dumps(event)}\n" for event in events))
        (folder / "publish.done.json").write_text("{}")

    page = open_page("operations")

    assert failures(page) == []
    late = "12:30.0, 2:30.0 longer than usual (median of 1 published runs before: 10:00.0)."
    assert first_lines(page)[1] == f"Its last step ended on 2026-07-03 at 02:12 UTC; it took {late}"
    sizes = operations.largest_parts(operations.disk_history())
    assert sizes.filter(part="all")["size_gb"].to_list() == [6.0, 9.0]
    assert sizes.filter(part="lake")["size_gb"].to_list() == [5.0, 8.0]
    assert "Size of the home by night" in [plain(one.value) for one in page.subheader]


def test_a_rollback_asks_first_and_is_logged(open_page: Open, home: Home) -> None:
    """The question names both releases; afterwards the other one is current, and the log says who did it."""
    before = registry.current_name(home)
    page = open_page("operations")

    page.button(key="rollback").click().run()
    assert registry.current_name(home) == before
    assert plain(page.warning[0].value) == f"Everybody will see earlier in place of {before}, at once. Go ahead?"

    page.button(key="confirm").click().run()
    assert failures(page) == []
    assert registry.current_name(home) == "earlier"
    assert plain(page.success[0].value) == "earlier is current."
    assert not page.warning
    (row,) = page.dataframe[-1].value.to_dict("records")
    assert row["who"] == "operator on this machine"
    assert (row["action"], row["subject"], row["outcome"]) == ("rollback", f"from {before} to earlier", "done")


def test_a_rollback_can_be_cancelled(open_page: Open, home: Home) -> None:
    """Nothing changes, and nothing is logged."""
    before = registry.current_name(home)
    page = open_page("operations")
    page.button(key="rollback").click().run()

    page.button(key="no").click().run()

    assert not page.warning
    assert registry.current_name(home) == before
    assert actions.done().is_empty()


def test_a_rollback_waits_for_a_run(open_page: Open, home: Home) -> None:
    """While a run has the lock of the home, the page says so, and nothing changes."""
    before = registry.current_name(home)
    page = open_page("operations")
    page.button(key="rollback").click().run()

    with locked(home):
        page.button(key="confirm").click().run()

    assert "is locked by another run" in page.error[0].value
    assert registry.current_name(home) == before
    assert actions.done().is_empty()


def test_a_release_that_was_published_meanwhile_stays(open_page: Open, home: Home) -> None:
    """Who confirms has seen another release as the current one."""
    open_page("operations")
    registry.make_current(home, "earlier")

    with pytest.raises(InputError, match="earlier has become current meanwhile"):
        actions.return_to("earlier", instead_of="2026-06-30-00000000")


FOR_OPERATORS: list[Callable[[], object]] = [
    *(actions.releases, actions.current_release, actions.done),
    *(operations.queue, operations.step_times, operations.disk_use, operations.free_bytes, operations.disk_history),
    lambda: operations.length_of(LATER),
    lambda: operations.failures(LATER),
    lambda: actions.return_to("earlier", instead_of=LATER),
]


def test_the_state_of_the_home_is_for_operators(open_page: Open, label_id: str) -> None:
    """A viewer of a label is refused."""
    open_page("overview", label=label_id)

    for requested in FOR_OPERATORS:
        with pytest.raises(InputError, match="for operators"):
            requested()
