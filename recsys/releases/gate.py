"""
The gate: may tonight's models and tables replace the last release?

Tonight's recommender and the one in charge (the champion) were fitted on the same training window and judged on the
same later days, which neither saw. The gate refuses tonight's if it is significantly worse than the champion or than
popularity (95 % interval of the paired difference in nDCG below zero), if tables, listeners or the last day's plays
went missing, and if an older date would take the place of a newer one.
"""

from dataclasses import asdict, dataclass, field
from datetime import date
from statistics import median
from typing import Any

from recsys.evaluate.significance import Interval
from recsys.releases.settings import GateSettings

COUNTED = ("marts.interactions_daily", "marts.track_features", "marts.listener_profile")
_ENOUGH_DAYS = 7  # with plays, for a day to be called usual


@dataclass(frozen=True)
class Evidence:
    """
    What the gate looks at.

    Attributes:
        as_of: Tonight's date.
        rows: Rows of each table tonight.
        last: The release that is current, None before the first.
        against: Interval of the paired difference to each rival ("champion", "popular").
        n_listeners: Listeners who get a list; None where no lists were made.
        plays_by_day: Plays of the last four weeks' days that have any.
    """

    as_of: date
    rows: dict[str, int]
    last: "Last | None"
    against: dict[str, Interval] = field(default_factory=dict)
    n_listeners: int | None = None
    plays_by_day: dict[date, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Last:
    """The current release: its name and date, the rows of its tables, and how many listeners have a list in it."""

    name: str
    as_of: date
    rows: dict[str, int]
    n_listeners: int


@dataclass(frozen=True)
class Verdict:
    """Whether tonight's release may be published, and if not, why."""

    passed: bool
    reasons: list[str]

    def as_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def decide(evidence: Evidence, settings: GateSettings) -> Verdict:
    """Weigh the evidence; every objection is a reason."""
    objections = (_worse(evidence), _missing(evidence, settings.max_drop), _silent(evidence, settings.min_last_day))
    reasons = [reason for found in objections for reason in found]
    return Verdict(not reasons, reasons)


def _worse(evidence: Evidence) -> list[str]:
    return [
        f"nDCG is significantly worse than {rival}: difference {difference.mean:+.4f} "
        f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f}, {difference.n_users:,} listeners)"
        for rival, difference in evidence.against.items()
        if difference.high < 0
    ]


def _missing(evidence: Evidence, max_drop: float) -> list[str]:
    last = evidence.last
    if last is None:
        return []
    if evidence.as_of < last.as_of:
        return [f"the current release is of {last.as_of}, this is of {evidence.as_of}; to go back: recsys rollback RUN"]
    pairs = [(name, evidence.rows[name], last.rows.get(name, 0)) for name in COUNTED]
    if evidence.n_listeners is not None:
        pairs.append(("listeners with a list", evidence.n_listeners, last.n_listeners))
    return [
        f"{name}: {now:,} where the current release has {before:,}; "
        f"a drop of more than {max_drop:.0%} is not let through"
        for name, now, before in pairs
        if now < (1 - max_drop) * before
    ]


def _silent(evidence: Evidence, min_last_day: float) -> list[str]:
    """Object where the last day has next to no plays: its files are probably missing."""
    if len(evidence.plays_by_day) < _ENOUGH_DAYS:
        return []
    usual, last_day = median(evidence.plays_by_day.values()), evidence.plays_by_day.get(evidence.as_of, 0)
    if last_day >= min_last_day * usual:
        return []
    found = f"{evidence.as_of} has {last_day:,} plays, a usual day has {usual:,.0f}"
    return [f"{found}; under {min_last_day:.0%} is taken for missing files. Bring them in, or lower min_last_day"]
