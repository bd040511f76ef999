"""The gate lets good runs through and says why it refuses others."""

from datetime import date, timedelta

import pytest

from recsys.evaluate.significance import Interval
from recsys.releases.gate import COUNTED, Evidence, Last, decide
from recsys.releases.settings import GateSettings

SETTINGS = GateSettings(max_drop=0.2)
TONIGHT = date(2026, 6, 30)


def evidence(**changes: object) -> Evidence:
    """A night like the last one, better than its rivals, but for `changes`."""
    usual = {
        "as_of": TONIGHT,
        "against": {"popular": Interval(0.05, 0.04, 0.06, 900)},
        "rows": dict.fromkeys(COUNTED, 1000),
        "n_listeners": 1000,
        "last": Last("last", TONIGHT - timedelta(days=1), dict.fromkeys(COUNTED, 1000), 1000),
        "plays_by_day": {TONIGHT - timedelta(days=n): 500 for n in range(28)},
    }
    return Evidence(**(usual | changes))  # type: ignore[arg-type]


def test_a_night_like_the_last_one_passes() -> None:
    """Nothing lost, nothing worse: no objection."""
    verdict = decide(evidence(), SETTINGS)

    assert verdict.passed
    assert verdict.reasons == []


def test_the_first_night_passes() -> None:
    """Without a last release there is nothing to lose."""
    assert decide(evidence(last=None), SETTINGS).passed


@pytest.mark.parametrize("rival", ["champion", "popular"])
def test_a_significantly_worse_model_is_refused(rival: str) -> None:
    """An interval wholly below zero is refused, with the rival and the figures in the reason."""
    verdict = decide(evidence(against={rival: Interval(-0.02, -0.03, -0.01, 900)}), SETTINGS)

    assert not verdict.passed
    assert rival in verdict.reasons[0]
    assert "-0.0200" in verdict.reasons[0]


def test_a_difference_that_may_be_luck_passes() -> None:
    """An interval that holds zero is no reason."""
    assert decide(evidence(against={"champion": Interval(-0.01, -0.02, 0.001, 900)}), SETTINGS).passed


@pytest.mark.parametrize("table", COUNTED)
def test_lost_rows_are_refused(table: str) -> None:
    """A table that shrank beyond the bound is named."""
    rows = dict.fromkeys(COUNTED, 1000) | {table: 799}

    verdict = decide(evidence(rows=rows), SETTINGS)

    assert [reason.startswith(table) for reason in verdict.reasons] == [True]


def test_a_drop_at_the_bound_passes() -> None:
    """The bound itself is let through."""
    assert decide(evidence(rows=dict.fromkeys(COUNTED, 800), n_listeners=800), SETTINGS).passed


def test_lost_listeners_are_refused() -> None:
    """Fewer listeners with a list than the bound allows are refused."""
    verdict = decide(evidence(n_listeners=500), SETTINGS)

    assert "500" in verdict.reasons[0]


def test_an_older_date_does_not_take_the_place_of_a_newer_one() -> None:
    """Going back is what rollback is for."""
    verdict = decide(evidence(last=Last("last", TONIGHT + timedelta(days=1), {}, 0)), SETTINGS)

    assert "recsys rollback" in verdict.reasons[0]


@pytest.mark.parametrize(("n_plays", "passes"), [(0, False), (49, False), (50, True)])
def test_a_last_day_without_its_files_is_refused(n_plays: int, passes: bool) -> None:
    """Under a tenth of a usual day's plays means that files are missing."""
    usual = {TONIGHT - timedelta(days=n): 500 for n in range(1, 28)}

    verdict = decide(evidence(plays_by_day=usual | {TONIGHT: n_plays}), SETTINGS)

    assert verdict.passed == passes


def test_a_log_of_a_few_days_has_no_usual_day() -> None:
    """Counts that were dated once are let through."""
    assert decide(evidence(plays_by_day={TONIGHT - timedelta(days=20): 500}), SETTINGS).passed


def test_tables_alone_are_held_against_the_rows_of_the_current_release() -> None:
    """Without lists and models, the rows still count."""
    last = Last("last", TONIGHT, dict.fromkeys(COUNTED, 1000), 1000)

    assert decide(Evidence(TONIGHT, dict.fromkeys(COUNTED, 1000), last), SETTINGS).passed
    assert not decide(Evidence(TONIGHT, dict.fromkeys(COUNTED, 10), last), SETTINGS).passed
