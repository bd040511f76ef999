"""
The gate: may tonight's models and tables replace the last release?

Tonight's recommender and the one in charge (the champion) were fitted on the same training window and judged on the
same later days, which neither saw. The gate refuses tonight's if it is significantly worse than the champion or than
plain popularity (95 % interval of the paired difference in nDCG below zero), and if tables or listeners went missing.
"""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from recsys.evaluate.significance import Interval
from recsys.recipe import GateSettings

COUNTED = ("marts.interactions_daily", "marts.track_features", "marts.listener_profile")


@dataclass(frozen=True)
class Evidence:
    """
    What the gate looks at.

    Attributes:
        as_of: Tonight's date.
        against: Interval of the paired difference to each rival ("champion", "popular").
        rows: Rows of each table tonight.
        n_listeners: Listeners who get a list.
        last: The last release's manifest, None before the first.
    """

    as_of: date
    against: dict[str, Interval]
    rows: dict[str, int]
    n_listeners: int
    last: dict[str, Any] | None


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
    reasons = [*_worse(evidence.against), *_missing(evidence, settings.max_drop)]
    return Verdict(not reasons, reasons)


def _worse(against: dict[str, Interval]) -> list[str]:
    return [
        f"nDCG is significantly worse than {rival}: difference {difference.mean:+.4f} "
        f"(95 % interval {difference.low:+.4f} to {difference.high:+.4f}, {difference.n_users:,} listeners)"
        for rival, difference in against.items()
        if difference.high < 0
    ]


def _missing(evidence: Evidence, max_drop: float) -> list[str]:
    last = evidence.last
    if last is None or date.fromisoformat(last["as_of"]) > evidence.as_of:
        return []
    now = {name: evidence.rows[name] for name in COUNTED} | {"listeners with a list": evidence.n_listeners}
    before = {name: last["tables"].get(name, 0) for name in COUNTED} | {"listeners with a list": last["n_listeners"]}
    return [
        f"{name}: {now[name]:,} where the last release had {before[name]:,}; "
        f"a drop of more than {max_drop:.0%} is not let through"
        for name in now
        if now[name] < (1 - max_drop) * before[name]
    ]
