"""
The gate decides whether a nightly run may replace the current release.

The run's recommender and the champion (the recommender of the current release) were trained on the same window and
evaluated on the same test window. The gate refuses the run
- if its nDCG is significantly lower than that of the champion or of the popularity baseline (95 % confidence interval
  of the paired difference below zero),
- if tables have far fewer rows, or far fewer listeners have a list, than in the current release,
- if the last day has far fewer plays than usual, or the last four weeks have none, or
- if the current release has a later date than the run.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from statistics import median
from typing import Any

from recsys.evaluate.significance import Interval
from recsys.releases.settings import GateSettings

COMPARED_TABLES = ("marts.interactions_daily", "marts.track_features", "marts.listener_profile")
MIN_EVALUATED = 20  # with fewer evaluated listeners, the interval of a difference says nothing
_MIN_DAYS = 7  # with fewer days of plays, the last day is not checked
_MIN_USUAL_PLAYS = 20  # with fewer plays on a usual day, a day without plays may be chance


@dataclass(frozen=True)
class CurrentRelease:
    """The facts about the current release: name, date, rows per table, and number of listeners with a list."""

    name: str
    as_of: date
    row_counts: dict[str, int]
    n_listeners: int


@dataclass(frozen=True)
class Evidence:
    """
    The facts on which the gate bases its decision.

    Attributes:
        as_of: Date of the run.
        row_counts: Number of rows of each table of the run.
        current_release: The release that the run would replace; None before the first.
        ndcg_differences: Confidence interval of the paired difference in nDCG, run minus baseline, by baseline:
            "champion" and "popular".
        n_listeners: Number of listeners with a list, or who need none, as they have heard everything; None if the run
            made no lists.
        plays_by_day: Number of plays on each day of the last four weeks; days without plays are absent.
        interleaving: As in `Verdict`.
    """

    as_of: date
    row_counts: dict[str, int]
    current_release: CurrentRelease | None
    ndcg_differences: dict[str, Interval] = field(default_factory=dict)
    n_listeners: int | None = None
    plays_by_day: dict[date, int] = field(default_factory=dict)
    interleaving: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """
    A check that a run did not pass, in texts for people.

    Attributes:
        measure: What was measured.
        found: Its value in the run.
        expected: What would have passed.
        remedy: What to do about it.
    """

    measure: str
    found: str
    expected: str
    remedy: str

    @property
    def reason(self) -> str:
        """All of it as one sentence, without its full stop."""
        return f"{self.measure}: found {self.found}, expected {self.expected}. {self.remedy}"


@dataclass(frozen=True)
class Verdict:
    """
    The decision of the gate.

    Attributes:
        passed: Whether the run may be published.
        failures: The checks that failed.
        interleaving: Which of two recommenders listeners preferred in earlier runs: recommender, challenger, mean
            (plays per listener, the first minus the second), low, high, n_users, p_value, winner; empty without such
            plays. It informs; no check depends on it.
    """

    passed: bool
    failures: list[Failure]
    interleaving: dict[str, Any] = field(default_factory=dict)

    @property
    def reasons(self) -> list[str]:
        """The failures as sentences."""
        return [failure.reason for failure in self.failures]

    @property
    def preference(self) -> str:
        """What listeners of interleaved lists preferred, in words; empty without such lists."""
        if not self.interleaving:
            return ""
        both = [self.interleaving["recommender"], self.interleaving["challenger"]]
        winner = self.interleaving["winner"]
        if not winner:
            return f"listeners preferred neither {' nor '.join(both)}"
        return f"listeners preferred {winner} to {both[winner == both[0]]}"

    def as_dict(self) -> dict[str, Any]:
        """Return the verdict as a dict, for JSON: passed, reasons, failures and interleaving."""
        failures = [asdict(one) for one in self.failures]
        return {
            "passed": self.passed,
            "reasons": self.reasons,
            "failures": failures,
            "interleaving": self.interleaving,
        }


def decide(evidence: Evidence, settings: GateSettings) -> Verdict:
    """Apply all checks to a run; it passes if no check fails."""
    failures = [
        *_worse_models(evidence),
        *_missing_rows(evidence, settings.max_drop),
        *_missing_plays(evidence, settings.min_last_day),
    ]
    return Verdict(not failures, failures, evidence.interleaving)


def _worse_models(evidence: Evidence) -> list[Failure]:
    return [
        Failure(
            f"nDCG compared with {baseline}",
            f"a difference of {difference.mean:+.4f} "
            f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f}, {difference.n_users:,} listeners)",
            "one that is not significantly worse: an interval that reaches 0",
            "Check what has changed in the recipe and in the delivered files",
        )
        for baseline, difference in evidence.ndcg_differences.items()
        if difference.high < 0 and difference.n_users >= MIN_EVALUATED
    ]


def _missing_rows(evidence: Evidence, max_drop: float) -> list[Failure]:
    current = evidence.current_release
    if current is None:
        return []
    if evidence.as_of < current.as_of:
        expected = f"{current.as_of}, the date of the current release, or later"
        remedy = "To return to an earlier release: recsys rollback RUN"
        return [Failure("date of the run", str(evidence.as_of), expected, remedy)]
    counts = [(name, evidence.row_counts[name], current.row_counts.get(name, 0)) for name in COMPARED_TABLES]
    if evidence.n_listeners is not None:
        counts.append(("listeners with a list", evidence.n_listeners, current.n_listeners))
    return [
        Failure(
            name,
            f"{after:,}",
            f"at most {max_drop:.0%} fewer than the {before:,} of the current release",
            "Ingest the missing files; if the drop is right, raise max_drop for one run",
        )
        for name, after, before in counts
        if after < (1 - max_drop) * before
    ]


def _missing_plays(evidence: Evidence, min_last_day: float) -> list[Failure]:
    """Return a failure if the last day has far fewer plays than the median day, or the last four weeks have none."""
    if _is_silent(evidence) and min_last_day > 0:
        weeks = f"plays of the four weeks up to {evidence.as_of}"
        return [Failure(weeks, "none", "some", "Check --date, ingest the missing files, or set min_last_day = 0")]
    if len(evidence.plays_by_day) < _MIN_DAYS:
        return []
    usual, last_day = median(evidence.plays_by_day.values()), evidence.plays_by_day.get(evidence.as_of, 0)
    if last_day >= min_last_day * usual or usual < _MIN_USUAL_PLAYS:
        return []
    expected = f"at least {min_last_day:.0%} of the {usual:,.0f} of a usual day"
    remedy = "Ingest the missing files, or lower min_last_day"
    return [Failure(f"plays on {evidence.as_of}", f"{last_day:,}", expected, remedy)]


def _is_silent(evidence: Evidence) -> bool:
    """Return whether a home that has listening, and a release, has had no plays in the last four weeks."""
    made_lists = evidence.n_listeners is not None
    if evidence.plays_by_day or evidence.current_release is None or not made_lists:
        return False
    return evidence.row_counts[COMPARED_TABLES[0]] > 0
