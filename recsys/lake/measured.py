"""
The measured attributes of a recording's sound: name with its unit, type and valid range, each declared once.

The contract of `audio_features`, the rows of a scan and the return values of `recsys/audio/features` follow from these
classes. None means that the value is unknown: the recording is silent or too short.

To add an attribute: declare it here as a field, measure it in `recsys/audio/features`, and add its column to
`sql/marts/track_audio.sql`, or to `sql/marts/track_timeline.sql` if it is a list over time. The names of the fields are
part of the analyser's version (`recsys/audio/analyse.py`), so the next scan analyses known files again. If the values
of existing attributes change, raise `FORMAT` in `recsys/audio/features/measure.py`; `tests/audio/test_analyser.py`
fails until you have decided whether to raise it.
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
class Delivery:
    """
    How a recording was delivered (`recsys/audio/features/delivery.py`); None for silence.

    Attributes:
        crest_db: Highest sample over the root mean square of all samples [dB].
        clipped_samples: Samples in runs of three or more at the recording's peak, over all channels.
        channel_correlation: Correlation of left and right, -1..1; None unless there are two channels with sound.
        dc_offset: Mean of the channel whose mean is furthest from 0, as a share of full scale.
        silent_start_s, silent_end_s: Length before the first and after the last sample above -60 dBFS [s].
        bandwidth_hz: Where the spectrum ends in a steep edge; half the sampling rate if it has none [Hz].
        source_rate_hz: Sampling rate that this edge suggests; below that of the file if it was upsampled [Hz].
        effective_bits: Bits that the samples use; None if they are not whole numbers of 24 bits.
        lossy_origin: Score of samples of a lossless file that were once coded as MP3 or AAC, 0..1, no calibrated
            probability; None below two sections of the recording with sound, about 4 s, and for a lossy file.
        band_levels_db: Levels of ten octave bands from 31.25 Hz to 16 kHz, relative to their sum [dB].
    """

    crest_db: float | None = measured(low=0, high=400)
    clipped_samples: int | None = measured(Kind.INTEGER, low=0)
    channel_correlation: float | None = measured(low=-1, high=1)
    dc_offset: float | None = measured(low=-8, high=8)
    silent_start_s: float | None = measured(low=0)
    silent_end_s: float | None = measured(low=0)
    bandwidth_hz: float | None = measured(low=0, high=1_000_000)
    source_rate_hz: int | None = measured(Kind.INTEGER, low=1)
    effective_bits: int | None = measured(Kind.INTEGER, low=1, high=64)
    lossy_origin: float | None = measured(low=0, high=1)
    band_levels_db: tuple[float, ...] | None = measured(Kind.REALS, low=-1_000, high=10)


@dataclass(frozen=True)
class Rhythm:
    """
    Tempo, onsets, beats and bars of a recording; None below 3 s or without an onset.

    Beats and bars are also None where they are not heard clearly enough (see `docs/sound.md`).

    Attributes:
        tempo_bpm: Beats per minute, 30 to 300.
        tempo_confidence: Estimated probability that the tempo is right within 4 %, 0..1.
        beat_strength: Autocorrelation of the onset curve at a lag of one beat, relative to lag 0, 0..1.
        onset_rate_hz: Onsets per second; 0 if there is none.
        beat_confidence: Mean activation of the network at the beats, 0..1.
        tempo_variation: Standard deviation of the tempo over four beats, relative to its mean; 0 for a metronome.
        beats_s: Times of the beats [s].
        beats_per_bar: Most frequent number of beats per bar: 2, 3 or 4. In 6/8, 9/8 and 12/8, the beat is the dotted
            crotchet.
        downbeats_s: Times of the first beats of bars [s].
    """

    tempo_bpm: float | None = measured(low=10, high=1_000)
    tempo_confidence: float | None = measured(low=0, high=1)
    beat_strength: float | None = measured(low=0, high=1)
    onset_rate_hz: float | None = measured(low=0, high=1_000)
    beat_confidence: float | None = measured(low=0, high=1)
    tempo_variation: float | None = measured(low=0, high=10)
    beats_s: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=86_400)
    beats_per_bar: int | None = measured(Kind.INTEGER, low=1, high=32)
    downbeats_s: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=86_400)


@dataclass(frozen=True)
class Tonality:
    """
    Key, chords, tuning and pitch classes of a recording; None if its spectrum has no peak.

    Key, chords and chromagram are also None where pitches or chords are not heard clearly enough (see `docs/sound.md`).

    Attributes:
        key: Tonic: C, C#, D ... B.
        mode: major or minor.
        key_confidence: Estimated probability that key and mode are right, 0..1.
        tuning_cents: Deviation of the tuning from A = 440 Hz, -50..50 [cent].
        chroma: Shares of the 12 pitch classes, starting at C; sum to 1.
        main_chords: The at most four chords that sound longest, longest first, such as 'C G Am F'; None if there is
            no chord.
        chord_changes_per_min: Changes from a chord to another one [1/min].
        chord_confidence: Mean estimated probability of the chords, 0..1.
        chord_starts_s, chord_ends_s: Start and end of each chord [s]; each begins where the one before ends.
        chords: Name of each chord: C (major), Cm (minor) ... B, Bm, or N (no chord).
        chromagram: Which pitch classes sound when, from which tunes are compared: twelve hexadecimal digits per frame
            of 0.256 s, C to B, of the first ten minutes (`recsys/audio/features/chromagram.py`).
    """

    key: str | None = measured(Kind.TEXT, pattern=r"^[A-G]#?$")
    mode: str | None = measured(Kind.TEXT, allowed=("major", "minor"))
    key_confidence: float | None = measured(low=0, high=1)
    tuning_cents: float | None = measured(low=-50, high=50)
    chroma: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=1)
    main_chords: str | None = measured(Kind.TEXT, pattern=r"^[A-G]#?m?( [A-G]#?m?)*$")
    chord_changes_per_min: float | None = measured(low=0, high=1_000)
    chord_confidence: float | None = measured(low=0, high=1)
    chord_starts_s: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=86_400)
    chord_ends_s: tuple[float, ...] | None = measured(Kind.REALS, low=0, high=86_400)
    chords: tuple[str, ...] | None = measured(Kind.TEXTS, pattern=r"^([A-G]#?m?|N)$")
    chromagram: str | None = measured(Kind.TEXT, pattern=r"^([0-9a-f]{12})+$", longest=28_128)


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
class Voice:
    """
    Whether somebody sings or speaks; None where a recording has no tags.

    Attributes:
        vocal_share: Share of at most twelve excerpts of 3 s in which the taggers hear a voice, 0..1
            (`recsys/audio/embedding/tags.py`).
    """

    vocal_share: float | None = measured(low=0, high=1)


@dataclass(frozen=True)
class Features(
    Voice, Character, Timbre, Tonality, Rhythm, Delivery, Loudness
):  # a dataclass has the fields of its last base first
    """All measured attributes of one recording; each is a column of `audio_features`."""

    @classmethod
    def of(cls, *parts: Loudness | Delivery | Rhythm | Tonality | Timbre | Character | Voice) -> Self:
        """Combine measured groups of attributes; attributes of missing groups are None."""
        return cls(**{name: value for part in parts for name, value in asdict(part).items()})


def fields_of(declared: type[Features]) -> tuple[Field, ...]:
    """Return the contract's columns for these attributes."""
    return tuple(Field(attribute.name, **attribute.metadata) for attribute in fields(declared))
