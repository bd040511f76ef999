"""
What is measured in the sound of a recording: each attribute once, its unit in its name, and the range it may have.

The contract of `audio_features`, the rows of a scan and what the functions of `recsys/audio/features` return follow
from these classes. A new attribute is a field here, the function that measures it, and a column of the marts.

None is what cannot be known: silence, or too short.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from recsys.lake.field import Field, Kind


def measured(kind: Kind = Kind.REAL, **limits: Any) -> Any:
    """Declare an attribute: how it is stored, and its limits as in `Field` (low, high, allowed, pattern)."""
    return field(default=None, metadata={"kind": kind, **limits})


@dataclass(frozen=True)
class Loudness:
    """
    Loudness of a recording.

    Attributes:
        loudness_lufs: Integrated loudness, gated [LUFS]; None for silence and less than 0.4 s.
        loudness_range_lu: Loudness range [LU]; None for silence and less than 3 s.
        true_peak_dbtp: Peak of the reconstructed wave [dBTP]; None where every sample is 0.
        stereo_width: Share of the power that two channels do not share, 0..1; None for silence.
        silence_share: Share of the steps of 0.1 s whose root mean square is below -60 dBFS, 0..1; None without a step.
    """

    loudness_lufs: float | None = measured(low=-200, high=50)
    loudness_range_lu: float | None = measured(low=0, high=200)
    true_peak_dbtp: float | None = measured(low=-400, high=50)
    stereo_width: float | None = measured(low=0, high=1)
    silence_share: float | None = measured(low=0, high=1)


@dataclass(frozen=True)
class Rhythm:
    """
    Movement of a recording; None for less than 3 s or no onset.

    Attributes:
        tempo_bpm: Beats a minute, measured from 30 to 300.
        tempo_confidence: Chance, as learned, that it is right to 4 %, 0..1.
        beat_strength: Height of the autocorrelation at one beat, of that at no lag, 0..1.
        onset_rate_hz: Onsets a second; 0 where there is none.
    """

    tempo_bpm: float | None = measured(low=10, high=1_000)
    tempo_confidence: float | None = measured(low=0, high=1)
    beat_strength: float | None = measured(low=0, high=1)
    onset_rate_hz: float | None = measured(low=0, high=1_000)


@dataclass(frozen=True)
class Tonality:
    """
    Pitch of a recording; None where no peak stands out.

    Attributes:
        key: Tonic, C to B with sharps.
        mode: major or minor.
        key_confidence: Chance, as learned, that both are right, 0..1.
        tuning_cents: From A = 440 Hz, -50..50 [cent].
        chroma: Share of each pitch class from C, sums to 1.
    """

    key: str | None = measured(Kind.TEXT, pattern=r"^[A-G]#?$")
    mode: str | None = measured(Kind.TEXT, allowed=("major", "minor"))
    key_confidence: float | None = measured(low=0, high=1)
    tuning_cents: float | None = measured(low=-50, high=50)
    chroma: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=1)


@dataclass(frozen=True)
class Timbre:
    """
    Colour of a recording.

    Attributes:
        spectral_centroid_hz, spectral_bandwidth_hz, spectral_rolloff_hz: Mean, spread and 85 % point [Hz].
        spectral_flatness: 0 for a tone, 1 for white noise.
        mfcc_mean, mfcc_std: 20 coefficients each, the first one loudness.
    """

    spectral_centroid_hz: float | None = measured(low=0, high=1_000_000)
    spectral_bandwidth_hz: float | None = measured(low=0, high=1_000_000)
    spectral_rolloff_hz: float | None = measured(low=0, high=1_000_000)
    spectral_flatness: float | None = measured(low=0, high=1)
    mfcc_mean: tuple[float, ...] | None = measured(Kind.REALS)
    mfcc_std: tuple[float, ...] | None = measured(Kind.REALS)


@dataclass(frozen=True)
class Character:
    """
    What follows from the other attributes by a formula.

    Attributes:
        energy: How forceful it sounds, 0..1.
        danceability: How fit for dancing, 0..1; None without a tempo.
    """

    energy: float | None = measured(low=0, high=1)
    danceability: float | None = measured(low=0, high=1)


@dataclass(frozen=True)
class Features(Character, Timbre, Tonality, Rhythm, Loudness):  # a dataclass has the fields of its last base first
    """Everything that is measured in one recording, one attribute a column."""

    @classmethod
    def of(cls, *parts: Loudness | Rhythm | Tonality | Timbre | Character) -> Self:
        """Put together what was measured; the rest is None."""
        return cls(**{name: value for part in parts for name, value in asdict(part).items()})


def fields_of(declared: type[Features]) -> tuple[Field, ...]:
    """Return the columns of a contract that hold these attributes."""
    return tuple(Field(each.name, **each.metadata) for each in fields(declared))
