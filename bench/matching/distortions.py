"""
The 31 distortions that matching is evaluated on, and speech over music; each is applied to an excerpt before the query.

A distortion changes the tempo by `ratio` (1 for most), so that time t of the excerpt is at t / ratio of the query.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from recsys.arrays import F32
from recsys.audio.training import distort

RATE_HZ = 16_000


@dataclass(frozen=True, eq=False)
class Background:
    """
    Sounds that may be mixed into a query (mono, 16 kHz, float32), and a random generator.

    Attributes:
        noises: Clips of recorded noise.
        others: Recordings of other music.
        speech: Files of speech; empty without eSpeak NG.
        rng: Random generator.
    """

    noises: list[F32]
    others: list[F32]
    speech: list[F32]
    rng: np.random.Generator

    def noise(self, n: int) -> F32:
        """Return n samples of recorded noise: clips concatenated in random order."""
        clips = [self.noises[row] for row in self.rng.permutation(len(self.noises))]
        return np.resize(np.concatenate(clips[: 1 + n // min(map(len, clips))]), n)

    def other(self) -> F32:
        """Return a random recording of other music."""
        return self.others[int(self.rng.integers(len(self.others)))]


Change = Callable[[F32, Background], F32]


@dataclass(frozen=True)
class Distortion:
    """
    A distortion.

    Attributes:
        change: The function that distorts an excerpt.
        ratio: Tempo of the query over that of the excerpt.
        groups: Rows of the summary table (`bench.matching.report`) that it counts in.
    """

    change: Change
    ratio: float = 1.0
    groups: frozenset[str] = field(default=frozenset())


def _white(snr_db: float) -> Change:
    return lambda sound, background: distort.with_background(
        sound, distort.white_noise(len(sound), background.rng), snr_db, background.rng
    )


def _pink(snr_db: float) -> Change:
    return lambda sound, background: distort.with_background(
        sound, distort.pink_noise(len(sound), background.rng), snr_db, background.rng
    )


def _real(snr_db: float) -> Change:
    return lambda sound, background: distort.with_background(
        sound, background.noise(len(sound)), snr_db, background.rng
    )


def _mp3(kbit: int) -> Change:
    return lambda sound, _background: distort.mp3_coded(sound, RATE_HZ, kbit)


def _room(decay_s: float) -> Change:
    return lambda sound, background: distort.with_reverb(sound, RATE_HZ, decay_s, background.rng)


def _band(low_hz: float, high_hz: float) -> Change:
    return lambda sound, _background: distort.band_limited(sound, RATE_HZ, low_hz, high_hz)


def _pitch(semitones: float) -> Change:
    return lambda sound, _background: distort.with_pitch(sound, RATE_HZ, semitones)


def _tempo(ratio: float) -> Change:
    return lambda sound, _background: distort.with_tempo(sound, RATE_HZ, ratio)


def _speed(ratio: float) -> Change:
    return lambda sound, _background: distort.with_speed(sound, ratio)


def _music(sound: F32, background: Background) -> F32:
    return distort.with_background(sound, background.other(), 5, background.rng)


def _under_speech(louder_db: float) -> Change:
    def covered(sound: F32, background: Background) -> F32:
        speech = background.speech[int(background.rng.integers(len(background.speech)))]
        return distort.with_background(sound, speech, -louder_db, background.rng)

    return covered


def _in_sequence(*changes: Change) -> Change:
    def combined(sound: F32, background: Background) -> F32:
        for single_change in changes:
            sound = single_change(sound, background)
        return sound

    return combined


def _groups(*groups: str) -> frozenset[str]:
    return frozenset(groups)


DISTORTIONS = {
    "clean": Distortion(lambda sound, _background: sound, groups=_groups("clean and mp3")),
    "mp3 64k": Distortion(_mp3(64), groups=_groups("clean and mp3")),
    "mp3 32k": Distortion(_mp3(32), groups=_groups("clean and mp3")),
    "white noise 0 dB": Distortion(_white(0)),
    **{f"pink noise {snr_db} dB": Distortion(_pink(snr_db)) for snr_db in (10, 0, -5)},
    "real noise 10 dB": Distortion(_real(10)),
    "real noise 0 dB": Distortion(_real(0)),
    "real noise -5 dB": Distortion(_real(-5), groups=_groups("real noise -5 dB")),
    **{f"room {decay_s} s": Distortion(_room(decay_s)) for decay_s in (0.5, 1.5)},
    "telephone band": Distortion(_band(300, 3_400)),
    "low-pass 2 kHz": Distortion(_band(0, 2_000)),
    **{f"pitch {steps:+d}": Distortion(_pitch(steps), groups=_groups("pitch")) for steps in (-2, -1, 1, 2)},
    **{f"tempo {ratio - 1:+.0%}": Distortion(_tempo(ratio), ratio) for ratio in (0.9, 0.95, 1.05, 1.1)},
    **{f"speed {ratio - 1:+.0%}": Distortion(_speed(ratio), ratio) for ratio in (0.97, 1.03)},
    **{f"speed {ratio - 1:+.0%}": Distortion(_speed(ratio), ratio, _groups("speed 5 %")) for ratio in (0.95, 1.05)},
    "other music 5 dB below": Distortion(_music),
    "phone": Distortion(_in_sequence(_room(0.5), _real(5), _band(300, 3_400), _mp3(32)), groups=_groups("phone")),
    "pitch +1, tempo +5 %": Distortion(_in_sequence(_pitch(1), _tempo(1.05)), 1.05),
    "speed +3 %, real noise 5 dB": Distortion(_in_sequence(_speed(1.03), _real(5)), 1.03),
    "social video": Distortion(_in_sequence(_pitch(1.5), _tempo(1.1), _real(10), _mp3(64)), 1.1),
}

SPEECH = {  # needs speech, and does not count in the mean over the 31
    f"under speech, {louder_db} dB louder": Distortion(_under_speech(louder_db)) for louder_db in (0, 6, 12)
}
