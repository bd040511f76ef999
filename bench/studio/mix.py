"""
Mix: planted faults in stems of rendered songs, and whether `recsys mix` names the right one first.

Stems (melody, chords, bass, drums) of made-up tunes are rendered one by one; each case changes one of them. References
are the unchanged stems, their sum, or the stems of another tune with the same instruments. Polarity without a reference
is that of two microphones of the drums, of which one is further away and hears the room. A fault counts as named if the
first advice has its stem, its kind and its direction, and for a band its range; the error is that of the advised
change. Without a fault, nothing should be advised. Intervals of 95 % are Wilson's.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from bench.options import benchmark, size
from bench.studio.ratios import wilson
from recsys.arrays import F32

if TYPE_CHECKING:
    from recsys.studio.mix.advice import Advice
    from recsys.studio.mix.facts import Stem

RATE_HZ, LENGTH_S = 22_050, 12.0
UNSEEN = 200  # seeds from here on were not used while the tool was written
QUIETER_DB, BOOST_DB, BOOSTED = -6.0, 9.0, (1_000, 4_000)
NAMES = {0: "melody", 1: "chords", 2: "bass", 9: "drums"}
Song = dict[str, F32]


def song(seed: int, tune_seed: int) -> Song:
    """Render the stems of a tune: `seed` chooses the instruments, `tune_seed` the tune. Each of shape (2, n)."""
    from dataclasses import replace

    from recsys.synth.arrange import Style, arrange
    from recsys.synth.render import render
    from recsys.synth.tune import compose

    rng = np.random.default_rng([31, seed])
    style = replace(Style.random(rng), has_bass=True, has_drums=True, chords="block")
    levels = {name: 10 ** (rng.uniform(-9, 0) / 20) for name in NAMES.values()}
    tune_rng = np.random.default_rng([37, tune_seed])
    whole = arrange(compose("song", tune_rng), style, tune_rng, longest_s=LENGTH_S)
    stems = {}
    for channel, name in NAMES.items():
        events = tuple(event for event in whole.events if event.channel == channel)
        played = render(replace(whole, events=events), rate_hz=RATE_HZ, longest_s=LENGTH_S)
        samples = np.pad(played, ((0, 0), (0, max(0, round(LENGTH_S * RATE_HZ) - played.shape[1]))))
        samples = samples - samples.mean(axis=1, keepdims=True)  # some instruments of the soundfont have DC
        stems[name] = (0.3 * levels[name] * samples).astype(np.float32)
    return stems


def boosted(samples: F32) -> F32:
    """Raise a band by `BOOST_DB`, with linear phase."""
    spectrum = np.fft.rfft(samples, axis=1)
    frequency = np.fft.rfftfreq(samples.shape[1], 1 / RATE_HZ)
    inside = (frequency >= BOOSTED[0]) & (frequency < BOOSTED[1])
    return np.fft.irfft(spectrum * np.where(inside, 10 ** (BOOST_DB / 20), 1.0), samples.shape[1]).astype(np.float32)


def room(samples: F32, rng: np.random.Generator) -> F32:
    """Return the same drums as a microphone hears them that is further away: later, with reflections and noise."""
    delay = int(rng.uniform(0.001, 0.006) * RATE_HZ)
    late = np.pad(samples, ((0, 0), (delay, 0)))[:, : samples.shape[1]]
    for _ in range(6):
        reflection = int(rng.uniform(0.005, 0.05) * RATE_HZ)
        late = late + rng.uniform(0.05, 0.25) * np.pad(late, ((0, 0), (reflection, 0)))[:, : samples.shape[1]]
    noise = rng.standard_normal(samples.shape) * 0.05 * np.sqrt(np.mean(late**2))
    return np.asarray(0.6 * late + noise, np.float32)


def advised(own: Song, reference: "Song | F32 | None") -> "list[Advice]":
    """Return the advice on a song, beside stems, a mix or nothing."""
    from recsys.studio.files import Recording
    from recsys.studio.mix.advice import against_mix, against_stems, against_takes, faults
    from recsys.studio.mix.facts import pairs_of, stem_of
    from recsys.studio.mix.reference import same_takes

    def stem(name: str, samples: F32) -> "Stem":
        return stem_of(name, Recording(samples, RATE_HZ, "float", 0.0))

    stems = [stem(name, samples) for name, samples in own.items()]
    found = faults([it.facts for it in stems], pairs_of(stems), None)
    if isinstance(reference, dict):
        found += against_stems(stems, [stem(name, samples) for name, samples in reference.items()]).advice
    elif reference is not None:
        mix = stem("reference", reference)
        takes = same_takes(stems, mix)
        found += (against_takes(takes) if takes else against_mix(stems, mix)).advice
    return found


def _is_named(first: "Advice", stem: str, kind: str, change_db: float) -> bool:
    is_there = kind != "band" or first.band_hz == BOOSTED
    return (first.stem, first.kind) == (stem, kind) and is_there and first.change_db * change_db >= 0


def print_case(case: str, results: Sequence[tuple["list[Advice]", str, str, float]]) -> None:
    """Print how often the first advice is the planted fault: its stem, its kind and its direction."""
    right, errors = 0, []
    for advice, stem, kind, change_db in results:
        is_right = bool(advice) and _is_named(advice[0], stem, kind, change_db)
        right += is_right
        if is_right and change_db:
            errors.append(abs(advice[0].change_db - change_db))
    error = f"{np.median(errors):.1f} dB" if errors else "-"
    print(f"{case:<44} {len(results):>4}  {wilson(right, len(results)):<22} {error}", flush=True)


@benchmark(headline=r"6 dB down, reference stems +\d+ +(\d\.\d+)")
@size("--songs", "n_songs", default=20, smallest=1, help="Songs, each with every fault.")
def main(n_songs: int) -> None:
    """Print the share of planted faults that are named first, by case."""
    print(f"{'case':<44} {'n':>4}  named first            error")
    cases: dict[str, list[tuple[list[Advice], str, str, float]]] = {}
    clean: dict[str, list[int]] = {}
    for seed in range(UNSEEN, UNSEEN + n_songs):
        rng = np.random.default_rng([41, seed])
        own, other = song(seed, seed), song(seed, seed + 1_000)
        mix = np.asarray(sum(own.values()), np.float32)
        name = str(rng.choice(list(own)))
        quieter = own | {name: own[name] * np.float32(10 ** (QUIETER_DB / 20))}
        louder = own | {"chords": boosted(own["chords"])}
        inverted = own | {name: -own[name]}
        mics = own | {"drums room": -room(own["drums"], rng)}
        for case, result in (
            ("6 dB down, reference stems", (advised(quieter, own), name, "level", -QUIETER_DB)),
            ("6 dB down, reference mix of the same takes", (advised(quieter, mix), name, "level", -QUIETER_DB)),
            ("6 dB down, stems of another tune", (advised(quieter, other), name, "level", -QUIETER_DB)),
            ("chords cover 1 to 4 kHz, reference stems", (advised(louder, own), "chords", "band", -BOOST_DB)),
            ("chords cover 1 to 4 kHz, another tune", (advised(louder, other), "chords", "band", -BOOST_DB)),
            ("inverted, reference mix of the same takes", (advised(inverted, mix), name, "polarity", 0.0)),
            ("inverted microphone, no reference", (_as_drums(advised(mics, None)), "drums", "polarity", 0.0)),
        ):
            cases.setdefault(case, []).append(result)
        upright = own | {"drums room": room(own["drums"], rng)}
        for case, advice in (
            ("no reference", advised(own, None)),
            ("two microphones, no reference", advised(upright, None)),
            ("reference stems", advised(own, own)),
            ("reference mix of the same takes", advised(own, mix)),
            ("stems of another tune", advised(own, other)),
        ):
            clean.setdefault(case, []).append(len(advice))
    for case, results in cases.items():
        print_case(case, results)
    print("without a fault: songs with advice, mean number")
    for case, counts in clean.items():
        print(f"{case:<44} {sum(count > 0 for count in counts)} of {len(counts)}, {np.mean(counts):.1f}")


def _as_drums(advice: "list[Advice]") -> "list[Advice]":
    """Either of two microphones may be the inverted one: name both alike."""
    from dataclasses import replace

    return [replace(it, stem="drums") if it.stem == "drums room" else it for it in advice]


if __name__ == "__main__":
    main()
