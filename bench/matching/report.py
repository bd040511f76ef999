"""Print the matching benchmark: shares found at given false-positive rates, with intervals over recordings."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from bench.matching.answers import Answer, QueryResult, Results
from bench.matching.distortions import DISTORTIONS, SPEECH
from bench.matching.queries import LENGTHS_S, SEED
from recsys.arrays import F64, Bool
from recsys.matching.uses import LOOSE, STRICT

Flags = Bool
Names = npt.NDArray[np.str_]

BARS = {  # share that each row of the table should reach at 10, 5, 3 s [%]
    "mean over the 31": (88, 80, 65),
    "clean and mp3": (100, 100, 99),
    "pitch": (93, 90, 80),
    "phone": (70, 55, 35),
    "real noise -5 dB": (70, 60, 40),
    "speed 5 %": (93, 88, 75),
}
SUMMARY = (  # rows of the table in Markdown
    *BARS,
    "real noise 0 dB",
    "other music 5 dB below",
    *SPEECH,
)
N_RESAMPLED = 1_000


@dataclass(frozen=True, eq=False)
class Outcome:
    """
    One matcher's answers to queries; every array has shape (n,).

    Attributes:
        scores: The matcher's scores: ours are significances, 2 at the shipped point of 1 % (`bench.matching.search`).
        is_found: Whether the right recording is ranked first; never for a stranger.
        distortions, recordings: Distortion and recording of each query.
    """

    scores: F64
    is_found: Flags
    distortions: Names
    recordings: Names

    @classmethod
    def of(cls, results: Sequence[QueryResult], answers: Sequence[Answer]) -> Self:
        """Return the outcome of one matcher's answers to the queries of some results."""
        return cls(
            np.array([answer.score for answer in answers]),
            np.array([answer.is_found for answer in answers]),
            np.array([result.distortion for result in results]),
            np.array([result.recording for result in results]),
        )

    def threshold(self, share: float) -> float:
        """Return the score that this share of the queries exceeds."""
        return float(np.quantile(self.scores, 1 - share))

    def found(self, threshold: float, row: str = "") -> str:
        """Format the share found above a score: of all queries, or of a row of the table or distortion."""
        return self._format_share(self.is_found & (self.scores > threshold), row)

    def first(self, row: str = "") -> str:
        """Format the share ranked first at any score."""
        return f"{self.is_found[self._in_row(row)].mean():.1%}"

    def accepted(self, threshold: float) -> str:
        """Format the share of strangers above a score, the false positives."""
        hits = self.scores > threshold
        n = f"{hits.sum():,} of {len(hits):,} queries from {len(set(self.recordings)):,}"
        return f"{self.share_accepted(threshold)}: {n}"

    def share_accepted(self, threshold: float) -> str:
        """Format the share of strangers above a score, without their number."""
        return _share(self.scores > threshold, self.recordings, digits=2)

    def has(self, row: str) -> bool:
        """Return whether the row has queries."""
        return bool(self._in_row(row).any())

    def _in_row(self, row: str) -> Flags:
        every = DISTORTIONS | SPEECH
        names = [name for name, distortion in every.items() if row == name or row in distortion.groups]
        return np.isin(self.distortions, names or list(DISTORTIONS))

    def _format_share(self, hits: Flags, row: str) -> str:
        in_row = self._in_row(row)
        return _share(hits[in_row], self.recordings[in_row], digits=1)


def _share(hits: Flags, recordings: Names, digits: int) -> str:
    low, high = _interval(hits, recordings)
    return f"{hits.mean():.{digits}%} [{low:.{digits}%}, {high:.{digits}%}]"


def _interval(hits: Flags, recordings: Names) -> tuple[float, float]:
    """Return the 95 % interval of a share, bootstrapped over recordings."""
    rng = np.random.default_rng(SEED)
    _, recording = np.unique(recordings, return_inverse=True)
    n, n_hits = np.bincount(recording), np.bincount(recording, hits)
    drawn = rng.integers(len(n), size=(N_RESAMPLED, len(n)))
    low, high = np.quantile(n_hits[drawn].sum(axis=1) / n[drawn].sum(axis=1), (0.025, 0.975))
    return float(low), float(high)


def print_report(results: Results, length_s: int) -> None:
    """Print the table of one query length, the shipped thresholds, offset errors and the cost of queries."""
    ours, real, rendered, no_music = _outcomes(results)
    counts = f"{len(results.uses):,} uses, {len(results.strangers):,} real strangers"
    print(f"\n{length_s} s, top-1 at 1 % false positives: {counts}")
    _print_table(length_s, [(ours, real.threshold(0.01)), *_peers(results)])
    _print_shipped(ours, real, rendered)
    print(f"    false positives {no_music.accepted(LOOSE)} sounds, at the 1 % threshold")
    errors_s = np.array([result.ours.offset_error_s for result in results.uses])
    errors_s = errors_s[ours.is_found & (ours.scores > real.threshold(0.01))]
    print(f"  offset error {np.median(errors_s):.3f} s (median), {np.quantile(errors_s, 0.95):.3f} s (95 %)")
    _print_costs("ours", [result.ours for result in results.uses])
    _print_costs("Chromaprint", [result.peer for result in results.uses if result.peer])


def _outcomes(results: Results) -> list[Outcome]:
    """Return the outcome of uses, real strangers, rendered strangers and other sounds."""
    kinds = (results.uses, results.strangers, results.rendered, results.other_sounds)
    return [Outcome.of(some, [result.ours for result in some]) for some in kinds]


def summary(results: Results) -> dict[str, str]:
    """Return the main figures of one query length, by row of the table in Markdown; Chromaprint's follow a slash."""
    ours, real, rendered, no_music = _outcomes(results)
    peers = _peers(results)
    rows = {
        "mean over the 31, first at any score": ours.first(),
        "mean over the 31, at a true 1 %": " / ".join(
            matcher.found(threshold) for matcher, threshold in [(ours, real.threshold(0.01)), *peers]
        ),
    }
    for row in SUMMARY:
        if ours.has(row):
            rows[row] = " / ".join(matcher.found(threshold, row) for matcher, threshold in [(ours, LOOSE), *peers])
    return rows | {
        "real strangers let in": real.share_accepted(LOOSE),
        "rendered strangers let in": rendered.share_accepted(LOOSE),
        "sounds that are no music let in": no_music.share_accepted(LOOSE),
        "real strangers let in at the .1 % point": real.share_accepted(STRICT),
        "rendered strangers let in at the .1 % point": rendered.share_accepted(STRICT),
    }


def print_summary(summaries: Mapping[int, Mapping[str, str]]) -> None:
    """Print the main figures of all query lengths as a table in Markdown; `summaries` has one `summary` per length."""
    print("\nAt the shipped 1 % point, unless a row says otherwise; Chromaprint, at a true 1 %, follows the slash:\n")
    print(f"| | {' | '.join(f'{length_s} s' for length_s in summaries)} |")
    print("|---" * (1 + len(summaries)) + "|")
    for row in next(iter(summaries.values())):
        print(f"| {row} | {' | '.join(figures[row] for figures in summaries.values())} |")


def _print_shipped(ours: Outcome, real: Outcome, rendered: Outcome) -> None:
    exact = rendered.threshold(0.001)
    print(f"  shipped 1 % threshold: found {ours.found(LOOSE)}")
    print(f"    false positives {real.accepted(LOOSE)} real strangers")
    print(f"  shipped 0.1 % threshold: found {ours.found(STRICT)}")
    print(f"    false positives {rendered.accepted(STRICT)} rendered strangers")
    print(f"    false positives {real.accepted(STRICT)} real strangers")
    print(f"  at 0.1 % of these rendered strangers (significance {exact:.2f}): found {ours.found(exact)}")


def _peers(results: Results) -> list[tuple[Outcome, float]]:
    """Return Chromaprint's outcome and its threshold at 1 % of the same strangers; nothing without Chromaprint."""
    uses, strangers = ([result.peer for result in some if result.peer] for some in (results.uses, results.strangers))
    if not uses:
        return []
    of_strangers = Outcome.of(results.strangers, strangers)
    return [(Outcome.of(results.uses, uses), of_strangers.threshold(0.01))]


def _print_table(length_s: int, matchers: list[tuple[Outcome, float]]) -> None:
    print(_row("", ["ours", "Chromaprint"][: len(matchers)], "bar", "first at any score"))
    for row, bars in BARS.items():
        if not matchers[0][0].has(row):
            continue
        cells = [outcome.found(threshold, row) for outcome, threshold in matchers]
        first = " / ".join(outcome.first(row) for outcome, _ in matchers)
        print(_row(row, cells, f"{bars[LENGTHS_S.index(length_s)]} %", first))
    for name in filter(matchers[0][0].has, DISTORTIONS | SPEECH):
        cells = [outcome.found(threshold, name) for outcome, threshold in matchers]
        print(_row(f"  {name}", cells, "", " / ".join(outcome.first(name) for outcome, _ in matchers)))


def _row(name: str, cells: list[str], bar: str, first: str) -> str:
    return f"  {name:31s}" + "".join(f"{cell:24s}" for cell in cells) + f"{bar:8s}{first}".rstrip()


def _print_costs(name: str, answers: list[Answer]) -> None:
    if answers:
        fingerprint_ms, search_ms = 1000 * np.array([answer.cpu_s for answer in answers]).mean(axis=0)
        print(f"  CPU per query, {name}: fingerprint {fingerprint_ms:.1f} ms, search {search_ms:.1f} ms", flush=True)
