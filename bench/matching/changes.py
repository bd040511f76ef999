"""
Uses with changes of speed, tempo or pitch over the range that matching looks for: the share found, and named right.

Queries are ten seconds of rendered tunes that training and calibration never met; half of the tunes are in the index.
A change is named right if it is named as that of speed, tempo or pitch alone, within 1.5 % or .4 semitones. Tunes of
the other half are strangers, searched under the same changes; "unshifted" is what the query lets in whose pitch is not
shifted. One in a hundred of each may pass, and a fifth of that more with the shifts.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bench.options import benchmark, size
from recsys.arrays import F32

if TYPE_CHECKING:
    from recsys.audio.fingerprint.fingerprinter import Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex
    from recsys.matching.uses import Use

LENGTH_S, START_S = 10, 2
CHANGES = {
    "speed": (0.85, 0.87, 0.93, 1.07, 1.15),
    "tempo": (0.8, 0.9, 1.1, 1.2),
    "pitch": (-3.0, -2.0, -1.0, 1.0, 2.0, 3.0),
}
MAX_ERROR = {"speed": 0.015, "tempo": 0.015, "pitch": 0.4}


@dataclass(frozen=True)
class Search:
    """The index that is searched, the network of its vectors, and the change of the queries."""

    index: "FingerprintIndex"
    network: "Fingerprinter"
    kind: str
    amount: float

    def uses_in(self, query: F32, *, is_shifted: bool = True) -> "list[Use]":
        """Find the uses in a query of one window, at three pitches or at its own alone."""
        from recsys.matching.audio_tasks import SHIFTS_SEMITONES
        from recsys.matching.cue_sheets import shipped_calibration
        from recsys.matching.uses import find_uses

        shifts = SHIFTS_SEMITONES if is_shifted else ()
        plain, *shifted = np.concatenate(list(self.network.stream_shifted([query], (0.0, *shifts))), axis=1)
        return find_uses(self.index, plain, shipped_calibration(), shifted)

    def use(self, sound: F32, name: str) -> tuple[bool, bool]:
        """Return whether a use of this recording is found, and whether its change is named right."""
        query = changed(sound, self.kind, self.amount)
        own = [use for use in self.uses_in(query) if use.audio_id == name]
        return bool(own), len(own) == 1 and abs(self._named(own[0], query) - self.amount) <= MAX_ERROR[self.kind]

    def _named(self, use: "Use", query: F32) -> float:
        """Return the amount of the change by which a use is named, NaN if it is named as another kind."""
        from recsys.audio.fingerprint.fingerprinter import RATE_HZ
        from recsys.matching.changes import change_of
        from recsys.matching.pitch import excerpt_of, pitch_of

        starts_s, ends_s = excerpt_of(use)
        excerpt = query[round(starts_s * RATE_HZ) : round(ends_s * RATE_HZ)]
        semitones = pitch_of(self.index, use, excerpt, self.network)
        change = change_of(use.tempo_ratio, semitones, use.ends_s - use.starts_s)
        amounts = {"speed": change.speed, "tempo": change.tempo, "pitch": change.semitones}
        named = [name for name, none in (("speed", 1), ("tempo", 1), ("pitch", 0)) if amounts[name] != none]
        return amounts[self.kind] if named == [self.kind] else np.nan

    def stranger(self, sound: F32) -> tuple[bool, bool]:
        """Return whether a stranger is let in, and whether it is without shifts."""
        query = changed(sound, self.kind, self.amount)
        return bool(self.uses_in(query)), bool(self.uses_in(query, is_shifted=False))


def sounds(n: int) -> dict[str, F32]:
    """Render n tunes of the test, mono at the rate of fingerprints."""
    from bench.audio.rendered import pieces, render_mono
    from recsys.audio.fingerprint.fingerprinter import RATE_HZ
    from recsys.audio.mel import RATE_HZ as RENDERED_HZ
    from recsys.audio.signal import resample

    unique = {piece.tune.name: piece for piece in pieces("test", 2 * n, balanced_modes=False)}
    return {name: resample(render_mono(unique[name])[0], RENDERED_HZ, RATE_HZ) for name in list(unique)[:n]}


def changed(sound: F32, kind: str, amount: float) -> F32:
    """Return ten seconds of a sound after a change."""
    from recsys.audio.fingerprint.fingerprinter import RATE_HZ
    from recsys.audio.training import distort

    part = sound[START_S * RATE_HZ :]
    if kind == "speed":
        part = distort.with_speed(part, amount)
    else:
        part = {"tempo": distort.with_tempo, "pitch": distort.with_pitch}[kind](part, RATE_HZ, amount)
    return part[: LENGTH_S * RATE_HZ]


@benchmark(headline=r"speed 0\.87 +found +(\d+) %")
@size("--tunes", "n", default=60, smallest=4, help="Rendered tunes; half of them are in the index.")
@size("--kind", "kinds", multiple=True, default=list(CHANGES), smallest=["speed"], help="Speed, tempo or pitch.")
def main(n: int, kinds: tuple[str, ...]) -> None:
    """Print the shares of each change."""
    import torch

    from recsys.audio.fingerprint.fingerprinter import INDEX_STEP, RATE_HZ, Fingerprinter
    from recsys.matching.fingerprint_index import FingerprintIndex

    torch.set_num_threads(1)
    network, made = Fingerprinter.load(), sounds(n)
    indexed, strangers = list(made)[::2], list(made)[1::2]
    vectors = [network.recording_vectors(made[name], RATE_HZ)[::INDEX_STEP] for name in indexed]
    index = FingerprintIndex.build(indexed, vectors, version=network.version)
    searches = [Search(index, network, kind, amount) for kind in kinds for amount in CHANGES[kind]]
    found: list[tuple[bool, bool]] = []
    let_in: list[tuple[bool, bool]] = []
    for search in searches:
        found += (of_change := [search.use(made[name], name) for name in indexed])
        let_in += (of_strangers := [search.stranger(made[name]) for name in strangers])
        print_row(f"{search.kind} {search.amount:g}", of_change, of_strangers)
    print_row("all", found, let_in)


def print_row(name: str, found: list[tuple[bool, bool]], let_in: list[tuple[bool, bool]]) -> None:
    """Print the shares of uses that are found and named right, and of strangers that are let in."""
    share_found, share_named = 100 * np.mean(found, axis=0)
    share_let_in, share_unshifted = 100 * np.mean(let_in, axis=0)
    print(
        f"{name:<12} found {share_found:3.0f} %, named right {share_named:3.0f} % of {len(found)}; "
        f"strangers let in {share_let_in:.1f} %, unshifted {share_unshifted:.1f} % of {len(let_in)}",
        flush=True,
    )


if __name__ == "__main__":
    main()
