"""
The 31 distortions by which matching is judged: what is done to a piece of a recording before it is looked for.

Each changes tempo by `ratio` (1 where it does not), so what lay at t of the piece lies at t / ratio of the query.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from recsys.arrays import F32
from recsys.audio.training import distort

RATE_HZ = 16_000


@dataclass(frozen=True, eq=False)
class Around:
    """What may be mixed into a query: recorded noise, other music (mono, 16 kHz, float32), and what draws from them."""

    noises: list[F32]
    others: list[F32]
    rng: np.random.Generator

    def noise(self, n: int) -> F32:
        """Return n samples of recorded noise: clips in a drawn order, one after the other."""
        drawn = [self.noises[at] for at in self.rng.permutation(len(self.noises))]
        return np.resize(np.concatenate(drawn[: 1 + n // min(map(len, drawn))]), n)

    def other(self) -> F32:
        """Return other music."""
        return self.others[int(self.rng.integers(len(self.others)))]


Change = Callable[[F32, Around], F32]


@dataclass(frozen=True)
class Distortion:
    """What is done to a piece, by how much its tempo changes, and which rows of the table of bars it belongs to."""

    change: Change
    ratio: float = 1.0
    groups: frozenset[str] = field(default=frozenset())


def _white(snr_db: float) -> Change:
    return lambda sound, around: distort.with_other(
        sound, distort.white_noise(len(sound), around.rng), snr_db, around.rng
    )


def _pink(snr_db: float) -> Change:
    return lambda sound, around: distort.with_other(
        sound, distort.pink_noise(len(sound), around.rng), snr_db, around.rng
    )


def _real(snr_db: float) -> Change:
    return lambda sound, around: distort.with_other(sound, around.noise(len(sound)), snr_db, around.rng)


def _mp3(kbit: int) -> Change:
    return lambda sound, _around: distort.through_mp3(sound, RATE_HZ, kbit)


def _room(decay_s: float) -> Change:
    return lambda sound, around: distort.in_room(sound, RATE_HZ, decay_s, around.rng)


def _band(low_hz: float, high_hz: float) -> Change:
    return lambda sound, _around: distort.through_band(sound, RATE_HZ, low_hz, high_hz)


def _pitch(semitones: float) -> Change:
    return lambda sound, _around: distort.with_pitch(sound, RATE_HZ, semitones)


def _tempo(ratio: float) -> Change:
    return lambda sound, _around: distort.with_tempo(sound, RATE_HZ, ratio)


def _speed(ratio: float) -> Change:
    return lambda sound, _around: distort.with_speed(sound, ratio)


def _music(sound: F32, around: Around) -> F32:
    return distort.with_other(sound, around.other(), 5, around.rng)


def _one_after_the_other(*changes: Change) -> Change:
    def change(sound: F32, around: Around) -> F32:
        for each in changes:
            sound = each(sound, around)
        return sound

    return change


def _in(*groups: str) -> frozenset[str]:
    return frozenset(groups)


DISTORTIONS = {
    "clean": Distortion(lambda sound, _around: sound, groups=_in("clean and mp3")),
    "mp3 64k": Distortion(_mp3(64), groups=_in("clean and mp3")),
    "mp3 32k": Distortion(_mp3(32), groups=_in("clean and mp3")),
    "white noise 0 dB": Distortion(_white(0)),
    **{f"pink noise {snr_db} dB": Distortion(_pink(snr_db)) for snr_db in (10, 0, -5)},
    "real noise 10 dB": Distortion(_real(10)),
    "real noise 0 dB": Distortion(_real(0)),
    "real noise -5 dB": Distortion(_real(-5), groups=_in("real noise -5 dB")),
    **{f"room {decay_s} s": Distortion(_room(decay_s)) for decay_s in (0.5, 1.5)},
    "telephone band": Distortion(_band(300, 3_400)),
    "low-pass 2 kHz": Distortion(_band(0, 2_000)),
    **{f"pitch {steps:+d}": Distortion(_pitch(steps), groups=_in("pitch")) for steps in (-2, -1, 1, 2)},
    **{f"tempo {ratio - 1:+.0%}": Distortion(_tempo(ratio), ratio) for ratio in (0.9, 0.95, 1.05, 1.1)},
    **{f"speed {ratio - 1:+.0%}": Distortion(_speed(ratio), ratio) for ratio in (0.97, 1.03)},
    **{f"speed {ratio - 1:+.0%}": Distortion(_speed(ratio), ratio, _in("speed 5 %")) for ratio in (0.95, 1.05)},
    "other music 5 dB below": Distortion(_music),
    "phone": Distortion(_one_after_the_other(_room(0.5), _real(5), _band(300, 3_400), _mp3(32)), groups=_in("phone")),
    "pitch +1, tempo +5 %": Distortion(_one_after_the_other(_pitch(1), _tempo(1.05)), 1.05),
    "speed +3 %, real noise 5 dB": Distortion(_one_after_the_other(_speed(1.03), _real(5)), 1.03),
    "social video": Distortion(_one_after_the_other(_pitch(1.5), _tempo(1.1), _real(10), _mp3(64)), 1.1),
}
