"""
The gate decides whether a nightly run may replace the current release.

The run's recommender and the champion (the recommender of the current release) were trained on the same window and
evaluated on the same later days, which neither saw. The gate refuses the run if its nDCG is significantly lower than
the champion's or the popularity baseline's (95 % interval of the paired difference below zero), if tables, listeners or
the last day's plays are missing, or if the current release has a later date.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from statistics import median
from typing import Any

from recsys.evaluate.significance import Interval
from recsys.releases.settings import GateSettings

COMPARED_TABLES = ("marts.interactions_daily", "marts.track_features", "marts.listener_profile")
_MIN_DAYS = 7  # with plays, before the plays of a usual day are known


@dataclass(frozen=True)
class CurrentRelease:
    """The current release: its name, its date, the rows of its tables, and the number of listeners with a list."""

    name: str
    as_of: date
    rows: dict[str, int]
    n_listeners: int


@dataclass(frozen=True)
class Evidence:
    """
    The facts that the gate decides on.

    Attributes:
        as_of: Date of the run.
        rows: Rows of each table of the run, by table name.
        current: The current release; None before the first.
        differences: Interval of the paired difference in nDCG, run minus "champion" and run minus "popular".
        n_listeners: Listeners with a list; None if the run made no lists.
        plays_by_day: Plays of each day of the last four weeks that has any.
    """

    as_of: date
    rows: dict[str, int]
    current: CurrentRelease | None
    differences: dict[str, Interval] = field(default_factory=dict)
    n_listeners: int | None = None
    plays_by_day: dict[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """Whether a run may be published, and the reasons against it if it may not."""

    passed: bool
    reasons: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values, for JSON."""
        return asdict(self)


def decide(evidence: Evidence, settings: GateSettings) -> Verdict:
    """Check the run in every respect; it passes if there is no reason against it."""
    reasons = [
        *_worse_models(evidence),
        *_missing_rows(evidence, settings.max_drop),
        *_missing_plays(evidence, settings.min_last_day),
    ]
    return Verdict(not reasons, reasons)


def _worse_models(evidence: Evidence) -> list[str]:
    return [
        f"nDCG is significantly worse than {baseline}: difference {difference.mean:+.4f} "
        f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f}, {difference.n_users:,} listeners)"
        for baseline, difference in evidence.differences.items()
        if difference.high < 0
    ]


def _missing_rows(evidence: Evidence, max_drop: float) -> list[str]:
    current = evidence.current
    if current is None:
        return []
    if evidence.as_of < current.as_of:
        dates = f"the run has the date {evidence.as_of}, the current release {current.as_of}"
        return [f"{dates}; expected the same or a later date. To return to an earlier release: recsys rollback RUN"]
    counts = [(name, evidence.rows[name], current.rows.get(name, 0)) for name in COMPARED_TABLES]
    if evidence.n_listeners is not None:
        counts.append(("listeners with a list", evidence.n_listeners, current.n_listeners))
    return [
        f"{name}: found {after:,}, the current release has {before:,}; expected a drop of at most {max_drop:.0%}"
        for name, after, before in counts
        if after < (1 - max_drop) * before
    ]


def _missing_plays(evidence: Evidence, min_last_day: float) -> list[str]:
    """Object if the last day has far fewer plays than a usual day: its files are probably missing."""
    if len(evidence.plays_by_day) < _MIN_DAYS:
        return []
    usual, last_day = median(evidence.plays_by_day.values()), evidence.plays_by_day.get(evidence.as_of, 0)
    if last_day >= min_last_day * usual:
        return []
    found = f"{evidence.as_of} has {last_day:,} plays, a usual day has {usual:,.0f}"
    return [f"{found}; expected at least {min_last_day:.0%} of that. Ingest the missing files, or lower min_last_day"]
