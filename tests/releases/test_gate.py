"""The gate: good runs pass; other runs are refused with reasons."""

from datetime import date, timedelta

import pytest

from recsys.evaluate.significance import Interval
from recsys.releases.gate import COMPARED_TABLES, MIN_EVALUATED, CurrentRelease, Evidence, decide
from recsys.releases.settings import GateSettings

SETTINGS = GateSettings(max_drop=0.2)
TODAY = date(2026, 6, 30)
ROWS = dict.fromkeys(COMPARED_TABLES, 1000)


def evidence(**changes: object) -> Evidence:
    """Return the facts of a run like the current release and better than the popularity baseline, with `changes`."""
    usual = {
        "as_of": TODAY,
        "ndcg_differences": {"popular": Interval(0.05, 0.04, 0.06, 900)},
        "row_counts": ROWS,
        "n_listeners": 1000,
        "current_release": CurrentRelease("last", TODAY - timedelta(days=1), ROWS, 1000),
        "plays_by_day": {TODAY - timedelta(days=n): 500 for n in range(28)},
    }
    return Evidence(**(usual | changes))  # type: ignore[arg-type]


def test_a_run_like_the_current_release_passes() -> None:
    """A run that is complete and not worse than the current release passes without reasons."""
    verdict = decide(evidence(), SETTINGS)

    assert verdict.passed
    assert verdict.reasons == []


def test_the_first_run_passes() -> None:
    """Without a current release, no table can have lost rows."""
    assert decide(evidence(current_release=None), SETTINGS).passed


@pytest.mark.parametrize("baseline", ["champion", "popular"])
def test_a_significantly_worse_model_is_refused(baseline: str) -> None:
    """A run is refused if the interval is below zero; the reason names the baseline and the figures."""
    verdict = decide(evidence(ndcg_differences={baseline: Interval(-0.02, -0.03, -0.01, 900)}), SETTINGS)

    assert not verdict.passed
    assert baseline in verdict.reasons[0]
    assert "-0.0200" in verdict.reasons[0]


def test_a_difference_that_is_not_significant_passes() -> None:
    """A run passes if the interval contains zero."""
    assert decide(evidence(ndcg_differences={"champion": Interval(-0.01, -0.02, 0.001, 900)}), SETTINGS).passed


@pytest.mark.parametrize(("n_users", "passes"), [(1, True), (MIN_EVALUATED - 1, True), (MIN_EVALUATED, False)])
def test_a_few_listeners_are_no_evidence(n_users: int, passes: bool) -> None:
    """The interval over one listener has no width, and over a few says nothing: it refuses no run."""
    worse = {"popular": Interval(-0.3, -0.3, -0.3, n_users)}

    assert decide(evidence(ndcg_differences=worse), SETTINGS).passed == passes


@pytest.mark.parametrize("table", COMPARED_TABLES)
def test_missing_rows_are_refused(table: str) -> None:
    """A run is refused if a table lost more rows than the limit; the reason names the table."""
    verdict = decide(evidence(row_counts=ROWS | {table: 799}), SETTINGS)

    assert [reason.startswith(table) for reason in verdict.reasons] == [True]


def test_a_drop_of_exactly_the_limit_passes() -> None:
    """A run whose drop is exactly the limit passes."""
    assert decide(evidence(row_counts=dict.fromkeys(COMPARED_TABLES, 800), n_listeners=800), SETTINGS).passed


def test_missing_listeners_are_refused() -> None:
    """A run is refused if the number of listeners with a list drops by more than the limit."""
    verdict = decide(evidence(n_listeners=500), SETTINGS)

    assert "500" in verdict.reasons[0]


def test_an_earlier_date_does_not_replace_a_later_one() -> None:
    """A run with an earlier date is refused; the reason names the command for a rollback."""
    verdict = decide(evidence(current_release=CurrentRelease("last", TODAY + timedelta(days=1), {}, 0)), SETTINGS)

    assert "recsys rollback" in verdict.reasons[0]


@pytest.mark.parametrize(("n_plays", "passes"), [(0, False), (49, False), (50, True)])
def test_a_last_day_without_its_files_is_refused(n_plays: int, passes: bool) -> None:
    """A run is refused if its last day has less than a tenth of the median daily plays."""
    usual = {TODAY - timedelta(days=n): 500 for n in range(1, 28)}

    verdict = decide(evidence(plays_by_day=usual | {TODAY: n_plays}), SETTINGS)

    assert verdict.passed == passes


@pytest.mark.parametrize(("usual", "passes"), [(19, True), (20, False)])
def test_a_thin_log_may_have_a_day_without_plays(usual: int, passes: bool) -> None:
    """Where a usual day has few plays, a day without any may be chance."""
    days = {TODAY - timedelta(days=n): usual for n in range(1, 28)}

    assert decide(evidence(plays_by_day=days), SETTINGS).passed == passes


@pytest.mark.parametrize(
    ("changes", "passes"),
    [
        ({}, False),
        ({"current_release": None}, True),
        ({"row_counts": ROWS | {COMPARED_TABLES[0]: 0}, "current_release": CurrentRelease("last", TODAY, {}, 0)}, True),
        ({"n_listeners": None}, True),
    ],
)
def test_four_weeks_without_plays_are_refused(changes: dict[str, object], passes: bool) -> None:
    """A wrong date is refused; not a first release, nor tables alone, nor a home that never had listening."""
    assert decide(evidence(plays_by_day={}, **changes), SETTINGS).passed == passes


def test_four_weeks_without_plays_can_be_allowed() -> None:
    """With min_last_day = 0, a home whose log has ended still publishes."""
    assert decide(evidence(plays_by_day={}), GateSettings(min_last_day=0)).passed


def test_plays_of_a_few_days_have_no_usual_day() -> None:
    """A run whose plays all have the same date passes."""
    assert decide(evidence(plays_by_day={TODAY - timedelta(days=20): 500}), SETTINGS).passed


def test_tables_alone_are_compared_with_the_current_release() -> None:
    """Rows are also checked for a run without lists and models."""
    current = CurrentRelease("last", TODAY, ROWS, 1000)

    assert decide(Evidence(TODAY, ROWS, current), SETTINGS).passed
    assert not decide(Evidence(TODAY, dict.fromkeys(COMPARED_TABLES, 10), current), SETTINGS).passed
