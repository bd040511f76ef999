"""Tells what matchers made of queries: shares found at false-positive points, with intervals over recordings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.matching.answers import Asked, Guess, Told
from bench.matching.distortions import DISTORTIONS
from bench.matching.queries import LENGTHS_S, SEED
from recsys.arrays import F64, Bool
from recsys.matching.alignment import MatchClassifier

Flags = Bool
Names = npt.NDArray[np.str_]

BARS = {  # share asked for of each row of the table at 10, 5, 3 s [%]
    "mean over the 31": (88, 80, 65),
    "clean and mp3": (100, 100, 99),
    "pitch": (93, 90, 80),
    "phone": (70, 55, 35),
    "real noise -5 dB": (70, 60, 40),
    "speed 5 %": (93, 88, 75),
}
N_RESAMPLED = 1_000


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    What a matcher made of queries, shape (n,) each.

    Attributes:
        scores: How sure it is.
        is_found: Whether it names the right recording first; never for a stranger.
        distortions, recordings: Of the queries.
    """

    scores: F64
    is_found: Flags
    distortions: Names
    recordings: Names

    @classmethod
    def of(cls, some: Sequence[Asked], guesses: Sequence[Guess], score: Callable[[F64], F64]) -> Self:
        """Score guesses by their evidence, shape (n, n_evidence)."""
        return cls(
            score(np.stack([each.evidence for each in guesses])),
            np.array([each.is_found for each in guesses]),
            np.array([each.distortion for each in some]),
            np.array([each.recording for each in some]),
        )

    def above(self, share: float) -> float:
        """Return the score above which so many of the queries lie."""
        return float(np.quantile(self.scores, 1 - share))

    def found(self, cut: float, row: str = "") -> str:
        """Tell the share found above a score: of all, of a row of the table, of a distortion."""
        return self._told(self.is_found & (self.scores > cut), row)

    def first(self, row: str = "") -> str:
        """Tell the share found at any score."""
        return f"{self.is_found[self._of(row)].mean():.1%}"

    def accepted(self, cut: float) -> str:
        """Tell the share of strangers that are taken for a use."""
        hits = self.scores > cut
        n = f"{hits.sum():,} of {len(hits):,} queries from {len(set(self.recordings)):,}"
        return f"{self._told(hits, digits=2)}: {n}"

    def _of(self, row: str) -> Flags:
        groups = [name for name, each in DISTORTIONS.items() if row == name or row in each.groups]
        return np.isin(self.distortions, groups or list(DISTORTIONS))

    def _told(self, hits: Flags, row: str = "", digits: int = 1) -> str:
        some = self._of(row)
        low, high = _interval(hits[some], self.recordings[some])
        return f"{hits[some].mean():.{digits}%} [{low:.{digits}%}, {high:.{digits}%}]"


def _interval(hits: Flags, who: Names) -> tuple[float, float]:
    """Return the 95 % interval of a share, by drawing recordings again."""
    rng = np.random.default_rng(SEED)
    _, recording = np.unique(who, return_inverse=True)
    n, n_hits = np.bincount(recording), np.bincount(recording, hits)
    drawn = rng.integers(len(n), size=(N_RESAMPLED, len(n)))
    low, high = np.quantile(n_hits[drawn].sum(axis=1) / n[drawn].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)


def tell(told: Told, judge: MatchClassifier, length_s: int) -> None:
    """Print the table of one length, the shipped points, and what queries cost."""
    ours, real, made = (
        Outcome.of(some, [each.ours for each in some], judge.probability)
        for some in (told.known, told.strangers, told.rendered)
    )
    n_asked = f"{len(told.known):,} queries of uses, {len(told.strangers):,} of real strangers"
    print(f"\n{length_s} s, top-1 at 1 % false positives: {n_asked}")
    _table(length_s, [(ours, real.above(0.01)), *_peers(told)])
    print(f"  shipped 1 % point ({judge.at_1_percent:.4f}): found {ours.found(judge.at_1_percent)}")
    print(f"    false positives {real.accepted(judge.at_1_percent)} real strangers")
    print(f"  shipped 0.1 % point ({judge.at_01_percent:.4f}): found {ours.found(judge.at_01_percent)}")
    print(f"    false positives {made.accepted(judge.at_01_percent)} rendered strangers")
    print(f"    false positives {real.accepted(judge.at_01_percent)} real strangers")
    print(f"  at 0.1 % of these rendered strangers ({made.above(0.001):.4f}): found {ours.found(made.above(0.001))}")
    hits = ours.is_found & (ours.scores > real.above(0.01))
    off_s = np.array([each.ours.off_s for each in told.known])[hits]
    print(f"  offset off by {np.median(off_s):.3f} s (median), {np.quantile(off_s, 0.95):.3f} s (95 %)")
    _costs("ours", [each.ours for each in told.known])
    _costs("Chromaprint", [each.peer for each in told.known if each.peer])


def _peers(told: Told) -> list[tuple[Outcome, float]]:
    """Return Chromaprint's outcome and its cut at 1 % of the same strangers, where it was asked."""
    uses, real = ([each.peer for each in some if each.peer] for some in (told.known, told.strangers))
    if not uses:
        return []
    of_strangers = Outcome.of(told.strangers, real, np.ravel)
    return [(Outcome.of(told.known, uses, np.ravel), of_strangers.above(0.01))]


def _table(length_s: int, matchers: list[tuple[Outcome, float]]) -> None:
    print(_row("", ["ours", "Chromaprint"][: len(matchers)], "bar", "first at any score"))
    for row, bars in BARS.items():
        cells = [of.found(cut, row) for of, cut in matchers]
        first = " / ".join(of.first(row) for of, _ in matchers)
        print(_row(row, cells, f"{bars[LENGTHS_S.index(length_s)]} %", first))
    for name in DISTORTIONS:
        cells = [of.found(cut, name) for of, cut in matchers]
        print(_row(f"  {name}", cells, "", " / ".join(of.first(name) for of, _ in matchers)))


def _row(name: str, cells: list[str], bar: str, first: str) -> str:
    return f"  {name:31s}" + "".join(f"{each:24s}" for each in cells) + f"{bar:8s}{first}".rstrip()


def _costs(name: str, guesses: list[Guess]) -> None:
    if guesses:
        heard, searched = 1000 * np.array([each.cpu_s for each in guesses]).mean(axis=0)
        print(f"  CPU of a query, {name}: fingerprint {heard:.1f} ms, search {searched:.1f} ms", flush=True)
