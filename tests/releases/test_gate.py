"""The gate lets good runs pass, and gives its reasons where it refuses one."""

from datetime import date, timedelta

import pytest

from recsys.evaluate.significance import Interval
from recsys.releases.gate import COMPARED_TABLES, CurrentRelease, Evidence, decide
from recsys.releases.settings import GateSettings

SETTINGS = GateSettings(max_drop=0.2)
TODAY = date(2026, 6, 30)
ROWS = dict.fromkeys(COMPARED_TABLES, 1000)


def evidence(**changes: object) -> Evidence:
    """A run like the current release, better than the popularity baseline, except for `changes`."""
    usual = {
        "as_of": TODAY,
        "differences": {"popular": Interval(0.05, 0.04, 0.06, 900)},
        "rows": ROWS,
        "n_listeners": 1000,
        "current": CurrentRelease("last", TODAY - timedelta(days=1), ROWS, 1000),
        "plays_by_day": {TODAY - timedelta(days=n): 500 for n in range(28)},
    }
    return Evidence(**(usual | changes))  # type: ignore[arg-type]


def test_a_run_like_the_current_release_passes() -> None:
    """Nothing is missing and nothing is worse: there is no reason against it."""
    verdict = decide(evidence(), SETTINGS)

    assert verdict.passed
    assert verdict.reasons == []


def test_the_first_run_passes() -> None:
    """Without a current release nothing can be missing."""
    assert decide(evidence(current=None), SETTINGS).passed


@pytest.mark.parametrize("baseline", ["champion", "popular"])
def test_a_significantly_worse_model_is_refused(baseline: str) -> None:
    """An interval wholly below zero is refused; the reason names the baseline and the figures."""
    verdict = decide(evidence(differences={baseline: Interval(-0.02, -0.03, -0.01, 900)}), SETTINGS)

    assert not verdict.passed
    assert baseline in verdict.reasons[0]
    assert "-0.0200" in verdict.reasons[0]


def test_a_difference_that_is_not_significant_passes() -> None:
    """An interval that contains zero is no reason against a run."""
    assert decide(evidence(differences={"champion": Interval(-0.01, -0.02, 0.001, 900)}), SETTINGS).passed


@pytest.mark.parametrize("table", COMPARED_TABLES)
def test_missing_rows_are_refused(table: str) -> None:
    """A table that lost more rows than the limit allows is named."""
    verdict = decide(evidence(rows=ROWS | {table: 799}), SETTINGS)

    assert [reason.startswith(table) for reason in verdict.reasons] == [True]


def test_a_drop_of_exactly_the_limit_passes() -> None:
    """The limit itself is allowed."""
    assert decide(evidence(rows=dict.fromkeys(COMPARED_TABLES, 800), n_listeners=800), SETTINGS).passed


def test_missing_listeners_are_refused() -> None:
    """Fewer listeners with a list than the limit allows are refused."""
    verdict = decide(evidence(n_listeners=500), SETTINGS)

    assert "500" in verdict.reasons[0]


def test_an_earlier_date_does_not_replace_a_later_one() -> None:
    """The reason names the command that returns to an earlier release."""
    verdict = decide(evidence(current=CurrentRelease("last", TODAY + timedelta(days=1), {}, 0)), SETTINGS)

    assert "recsys rollback" in verdict.reasons[0]


@pytest.mark.parametrize(("n_plays", "passes"), [(0, False), (49, False), (50, True)])
def test_a_last_day_without_its_files_is_refused(n_plays: int, passes: bool) -> None:
    """Fewer than a tenth of a usual day's plays mean that files are missing."""
    usual = {TODAY - timedelta(days=n): 500 for n in range(1, 28)}

    verdict = decide(evidence(plays_by_day=usual | {TODAY: n_plays}), SETTINGS)

    assert verdict.passed == passes


def test_plays_of_a_few_days_have_no_usual_day() -> None:
    """Play counts that were delivered with a single date pass."""
    assert decide(evidence(plays_by_day={TODAY - timedelta(days=20): 500}), SETTINGS).passed


def test_tables_alone_are_compared_with_the_current_release() -> None:
    """Without lists and models, the rows still count."""
    current = CurrentRelease("last", TODAY, ROWS, 1000)

    assert decide(Evidence(TODAY, ROWS, current), SETTINGS).passed
    assert not decide(Evidence(TODAY, dict.fromkeys(COMPARED_TABLES, 10), current), SETTINGS).passed
