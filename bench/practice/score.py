"""What is counted of judged takes: found, planted and claimed errors of each kind, false alarms, abstentions, cents."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from bench.practice.takes import Take

if TYPE_CHECKING:
    from recsys.practice.judge import JudgedNote, Judgement

OFF_S, BORDER_S = 0.1, 0.075  # late or early; from the second on, a claim is not false
EXTRA_S = 0.12  # an extra note is found within so much of its beginning
KINDS = ("wrong", "late or early", "missing", "extra")


@dataclass
class Counts:
    """
    Counts over takes.

    Attributes:
        planted, found: Errors that are in the takes, and of these, claimed, by kind.
        claimed, true: Errors claimed, and of these, right, by kind.
        notes, unsure: Written notes, and those of which pitch or time is unsure.
        clean_notes, alarms: Written notes of takes without planted errors, and claims about them.
        cents: Distances of the centres from the truth [cents].
    """

    planted: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    claimed: Counter[str] = field(default_factory=Counter)
    true: Counter[str] = field(default_factory=Counter)
    notes: int = 0
    unsure: int = 0
    clean_notes: int = 0
    alarms: int = 0
    cents: list[float] = field(default_factory=list)

    def add(self, take: Take, judged: "Judgement", *, is_clean: bool) -> None:
        """Count a take."""
        n_claimed = self.claimed.total()
        for note in judged.notes:
            self._add_note(take, note)
        self._add_extra(take, judged)
        self._add_cents(take, judged)
        self.notes += len(judged.notes)
        self.unsure += sum(is_unsure(note) for note in judged.notes)
        if is_clean:
            self.clean_notes += len(judged.notes)
            self.alarms += self.claimed.total() - n_claimed

    def _add_note(self, take: Take, note: "JudgedNote") -> None:
        place = note.number
        off_s = float(np.nan_to_num(take.off_s[place]))
        is_off = abs(off_s) >= OFF_S
        truths = {"wrong": take.is_wrong[place], "missing": take.is_missing[place], "late or early": is_off}
        claims = {kind: note.verdict == kind for kind in ("wrong", "missing")} | {"late or early": note.is_off_time}
        is_same_side = bool(off_s * note.late_s > 0)
        rights = {**truths, "late or early": abs(off_s) >= BORDER_S and is_same_side}
        for kind, claim in claims.items():
            is_found = claim and truths[kind] and (kind != "late or early" or is_same_side)
            self.planted[kind] += int(truths[kind])
            self.found[kind] += int(is_found)
            self.claimed[kind] += int(claim)
            self.true[kind] += int(claim and rights[kind])

    def _add_extra(self, take: Take, judged: "Judgement") -> None:
        times = np.array([it.heard.start_s for it in judged.extra])
        near = np.abs(times[:, None] - take.extra_s) < EXTRA_S  # (n_claimed, n_planted)
        self.planted["extra"] += len(take.extra_s)
        self.claimed["extra"] += len(times)
        self.found["extra"] += int(near.any(axis=0).sum())
        self.true["extra"] += int(near.any(axis=1).sum())

    def _add_cents(self, take: Take, judged: "Judgement") -> None:
        cents = np.array([note.cents if note.verdict == "right" else np.nan for note in judged.notes])
        truth = np.where(take.is_wrong | take.is_missing, np.nan, take.off_cents)
        off = cents - truth
        self.cents += np.abs(off - np.nanmedian(off))[~np.isnan(off)].tolist()


def is_unsure(note: "JudgedNote") -> bool:
    """Return whether pitch or time of a note is left open."""
    return note.verdict == "unsure" or (note.verdict in {"right", "wrong"} and bool(np.isnan(note.late_s)))
