"""Measured audio attributes are declared once: contract, scan and marts have the same columns."""

from dataclasses import asdict, dataclass, fields

import numpy as np

from recsys.audio.features.measure import features
from recsys.audio.signal import Signal
from recsys.lake.contract import CONTRACTS
from recsys.lake.field import Field, Kind
from recsys.lake.measured import Features, fields_of, measured
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render
from recsys.synth.tune import compose
from recsys.warehouse.sqlfile import read_layers

OF_THE_FILE = ["track_id", "audio_id", "file", "codec", "duration_ms", "rate_hz", "n_channels", "lost_ms"]
DECLARED = [field.name for field in fields(Features)]


@dataclass(frozen=True)
class MoreFeatures(Features):
    """`Features` with one more attribute."""

    crest_factor_db: float | None = measured(low=0, high=200)


def test_the_contract_has_the_declared_columns() -> None:
    """They follow the columns about the file and precede the version of the analyser."""
    assert CONTRACTS["audio_features"].names == [*OF_THE_FILE, *DECLARED, "analyser"]


def test_a_declared_attribute_is_a_column_with_its_range() -> None:
    """Adding a field to the dataclass is enough."""
    assert fields_of(MoreFeatures) == (
        *fields_of(Features),
        Field("crest_factor_db", Kind.REAL, low=0, high=200),
    )


def test_every_declared_attribute_reaches_the_mart() -> None:
    """`marts.track_audio` has a column for each, or `marts.track_timeline` if it is a list over time."""
    layers = read_layers()

    assert set(DECLARED) <= {*layers["marts.track_audio"].columns, *layers["marts.track_timeline"].columns}


def test_measurements_are_within_the_declared_ranges() -> None:
    """Ten seconds of a tune with chords and drums have a value for every attribute that needs no tagger."""
    rng = np.random.default_rng(11)
    style = Style(
        tempo_bpm=110, transpose=2, melody=0, harmony=0, bass=33, chords="block", has_bass=True, has_drums=True
    )
    sound = render(arrange(compose("song", rng), style, rng, longest_s=10), rate_hz=22_050, longest_s=10)
    samples = np.rint(sound * 32_768).astype(np.float32) / np.float32(32_768)  # 16 bits
    found = asdict(features(Signal(samples, 22_050, "pcm_s16le", 0.0)))

    limits = {field.name: (field.low, field.high) for field in fields_of(Features)}
    assert [name for name, value in found.items() if value is None] == ["vocal_share"]
    for name, (low, high) in limits.items() - {("vocal_share", (0, 1))}:
        assert low is None or np.all(np.asarray(found[name]) >= low), name
        assert high is None or np.all(np.asarray(found[name]) <= high), name
