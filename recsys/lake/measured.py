"""
The measured attributes of a recording's sound: name with its unit, type and valid range, each declared once.

The contract of `audio_features`, the rows of a scan and the return values of `recsys/audio/features` follow from these
classes. None means that the value is unknown: the recording is silent or too short.

To add an attribute: declare it here as a field, measure it in `recsys/audio/features`, and add its column to
`sql/marts/track_audio.sql`. The names of the fields are part of the analyser's version (`recsys/audio/analyse.py`), so
the next scan analyses known files again. If the values of existing attributes change, raise `FORMAT` in
`recsys/audio/features/measure.py`; `tests/audio/test_analyser.py` fails until you have decided whether to raise it.
"""

from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

from recsys.lake.field import Field, Kind


def measured(kind: Kind = Kind.REAL, **limits: Any) -> Any:
    """Declare an attribute: its type in the contract, and its limits as in `Field` (low, high, allowed, pattern)."""
    return field(default=None, metadata={"kind": kind, **limits})


@dataclass(frozen=True)
class Loudness:
    """
    Loudness of a recording.

    Attributes:
        loudness_lufs: Integrated, gated loudness [LUFS]; None for silence and below 0.4 s.
        loudness_range_lu: Loudness range [LU]; None for silence and below 3 s.
        true_peak_dbtp: Peak of the oversampled waveform [dBTP]; None if every sample is 0.
        stereo_width: Power of the side signal as a share of side plus mid, 0 (mono) to 1; None for silence.
        silence_share: Share of 0.1 s blocks whose root mean square is below -60 dBFS, 0..1; None below 0.1 s.
    """

    loudness_lufs: float | None = measured(low=-200, high=50)
    loudness_range_lu: float | None = measured(low=0, high=200)
    true_peak_dbtp: float | None = measured(low=-400, high=50)
    stereo_width: float | None = measured(low=0, high=1)
    silence_share: float | None = measured(low=0, high=1)


@dataclass(frozen=True)
class Rhythm:
    """
    Tempo and onsets of a recording; None below 3 s or without an onset.

    Attributes:
        tempo_bpm: Beats per minute, 30 to 300.
        tempo_confidence: Estimated probability that the tempo is right within 4 %, 0..1.
        beat_strength: Autocorrelation of the onset curve at a lag of one beat, relative to lag 0, 0..1.
        onset_rate_hz: Onsets per second; 0 if there is none.
    """

    tempo_bpm: float | None = measured(low=10, high=1_000)
    tempo_confidence: float | None = measured(low=0, high=1)
    beat_strength: float | None = measured(low=0, high=1)
    onset_rate_hz: float | None = measured(low=0, high=1_000)


@dataclass(frozen=True)
class Tonality:
    """
    Key, tuning and pitch classes of a recording; None if its spectrum has no peak.

    Attributes:
        key: Tonic: C, C#, D ... B.
        mode: major or minor.
        key_confidence: Estimated probability that key and mode are right, 0..1.
        tuning_cents: Deviation of the tuning from A = 440 Hz, -50..50 [cent].
        chroma: Shares of the 12 pitch classes, starting at C; sum to 1.
    """

    key: str | None = measured(Kind.TEXT, pattern=r"^[A-G]#?$")
    mode: str | None = measured(Kind.TEXT, allowed=("major", "minor"))
    key_confidence: float | None = measured(low=0, high=1)
    tuning_cents: float | None = measured(low=-50, high=50)
    chroma: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=1)


@dataclass(frozen=True)
class Timbre:
    """
    Timbre of a recording: means over its frames; None for silence and below 0.5 s.

    Attributes:
        spectral_centroid_hz: Mean frequency of the magnitude spectrum [Hz].
        spectral_bandwidth_hz: Standard deviation around the centroid [Hz].
        spectral_rolloff_hz: Frequency below which 85 % of the magnitude lies [Hz].
        spectral_flatness: 0 for a tone, 1 for white noise.
        mfcc_mean, mfcc_std: Mean and standard deviation of 20 mel-frequency cepstral coefficients; the first one
            depends on the level.
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
    Attributes that are computed from other attributes (formulas in `recsys/audio/features/measure.py`).

    Attributes:
        energy: Perceived intensity, 0..1; None for silence.
        danceability: Suitability for dancing, 0..1; None without a tempo.
    """

    energy: float | None = measured(low=0, high=1)
    danceability: float | None = measured(low=0, high=1)


@dataclass(frozen=True)
class Features(Character, Timbre, Tonality, Rhythm, Loudness):  # a dataclass has the fields of its last base first
    """All measured attributes of one recording; each is a column of `audio_features`."""

    @classmethod
    def of(cls, *parts: Loudness | Rhythm | Tonality | Timbre | Character) -> Self:
        """Combine measured groups of attributes; attributes of missing groups are None."""
        return cls(**{name: value for part in parts for name, value in asdict(part).items()})


def fields_of(declared: type[Features]) -> tuple[Field, ...]:
    """Return the contract's columns for these attributes."""
    return tuple(Field(attribute.name, **attribute.metadata) for attribute in fields(declared))
