"""A catalogue of 120 recordings by 30 artists: two numbers tell its three genres apart, a third says nothing."""

import numpy as np
import polars as pl
import pytest

from recsys.dataset.vocab import Vocab
from recsys.tags.head import HeadSettings
from recsys.tags.inputs import TrackInputs
from recsys.tags.train import TagSettings

GENRES = ("jazz", "pop", "rock")
SMALL = TagSettings(head=HeadSettings(members=1, width=16, min_steps=60, dropout=0.0, learning_rate=1e-2))


def genre_of(n: int = 120) -> list[str]:
    """Return the genre of each recording."""
    return [GENRES[number % 3] for number in range(n)]


@pytest.fixture
def catalogue() -> TrackInputs:
    """Return inputs; every tenth recording has no consent, and the last five have no sound."""
    rng = np.random.default_rng(0)
    number = np.arange(120)
    sound = rng.normal(0, 0.7, size=(120, 3)).astype(np.float32)
    sound[number, number % 3] += np.where(number % 3 < 2, 4, 0)
    sound[115:] = np.nan
    facts = pl.DataFrame(
        {
            "track_id": [f"t{row:03d}" for row in number],
            "artist_id": [f"a{row // 4:02d}" for row in number],
            "training_consent": ["denied" if row % 10 == 0 else "granted" for row in number],
            "genre": genre_of(),
            "language": ["en" if row % 2 else "unknown" for row in number],
            "country": ["IS" if row < 9 else "DE" for row in number],
        }
    )
    return TrackInputs(Vocab.of(facts["track_id"], kind="track"), {"sound": (sound,)}, facts)


@pytest.fixture
def given() -> pl.DataFrame:
    """Return labels of the first 90 recordings."""
    ids = [f"t{row:03d}" for row in range(90)]
    return pl.DataFrame({"track_id": ids, "kind": "genre", "tag": genre_of(90)})
