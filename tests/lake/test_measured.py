"""Measured audio attributes are declared once: contract, scan and marts have the same columns."""

from dataclasses import asdict, dataclass, fields

import numpy as np

from recsys.audio.features.measure import features
from recsys.audio.signal import Signal
from recsys.lake.contract import CONTRACTS
from recsys.lake.field import Field, Kind
from recsys.lake.measured import Features, fields_of, measured
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
    """`marts.track_audio` has a column for each."""
    assert set(DECLARED) <= set(read_layers()["marts.track_audio"].columns)


def test_measurements_are_within_the_declared_ranges() -> None:
    """A pulsing tone of 4 s, louder on the left, has a value for every attribute."""
    seconds = np.arange(4 * 22_050) / 22_050
    tone = np.sin(2 * np.pi * 440 * seconds) * (np.sin(2 * np.pi * 2 * seconds) > 0)
    found = asdict(features(Signal(np.stack([0.5 * tone, 0.3 * tone]).astype(np.float32), 22_050, "made", 0.0)))

    limits = {field.name: (field.low, field.high) for field in fields_of(Features)}
    assert [name for name, value in found.items() if value is None] == []
    for name, (low, high) in limits.items():
        assert low is None or np.all(np.asarray(found[name]) >= low), name
        assert high is None or np.all(np.asarray(found[name]) <= high), name
