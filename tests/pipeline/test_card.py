"""The model card of a recommender says which contents it read."""

from dataclasses import replace

import polars as pl

from recsys.dataset.features import Features
from recsys.dataset.interactions import Interactions
from recsys.pipeline.steps.models import _contents, _listeners
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASEConfig
from recsys.recommenders.lightfm import LightFMConfig

PAIRS = pl.DataFrame({"user_id": ["a", "b"], "track_id": ["t1", "t2"], "strength": [1.0, 1.0]})
MEASURED = pl.DataFrame(
    {
        "track_id": ["t1", "t1", "t2", "t1", "t1", "t2"],
        "name": ["sound=01", "sound=02", "sound=01", "words=07", "sung_in=en", "sung_in=en"],
        "weight": [1.0] * 6,
    }
)


def test_the_card_counts_sound_and_lyrics_of_models_that_read_them() -> None:
    """Two recordings with sound, two with lyrics; without weight for features it read none of them."""
    played = Interactions.of(PAIRS)
    interactions = replace(played, track_features=Features.weighted(played.tracks, MEASURED))

    alone = _contents(Recommender.named("ease", EASEConfig()), played)
    reads = _contents(Recommender.named("ease", EASEConfig()), interactions)
    reads_none = _contents(Recommender.named("ease", EASEConfig(side_weight=0.0)), interactions)

    assert "read the sound of 2 tracks, the lyrics of 2 tracks, and nothing else" in reads
    assert "neither metadata, sound nor lyrics were known" in alone
    assert "no metadata, sound or lyrics" in reads_none


def test_the_card_speaks_of_consent_to_sound_and_lyrics_only_where_they_were_read() -> None:
    """A model that read genres alone claims no consent that nobody had to give."""
    played = Interactions.of(PAIRS)
    genres = pl.DataFrame({"track_id": ["t1", "t2"], "name": ["genre=pop", "genre=rock"], "weight": [1.0, 1.0]})

    both, metadata = (
        _contents(
            Recommender.named("ease", EASEConfig()),
            replace(played, track_features=Features.weighted(played.tracks, of_tracks)),
        )
        for of_tracks in (MEASURED, genres)
    )

    assert both.endswith("Consent to training was granted for all of this sound and these lyrics; metadata needs none.")
    assert metadata == (
        "It also read the metadata of 2 tracks, and nothing else of tracks. Metadata needs no consent to training."
    )


def test_the_card_says_what_was_read_of_listeners() -> None:
    """LightFM learns from their country; every model falls back to it."""
    countries = pl.DataFrame({"user_id": ["a", "b"], "name": ["country=FR", "country=DE"], "weight": [1.0, 1.0]})
    played = Interactions.of(PAIRS)
    interactions = replace(played, user_features=Features.weighted(played.users, countries))

    learns, ignores, other = (
        _listeners(model, interactions)
        for model in (
            Recommender.named("lightfm", LightFMConfig()),
            Recommender.named("lightfm", LightFMConfig(user_weight=0.0)),
            Recommender.named("ease", EASEConfig()),
        )
    )

    assert "learned from what is known of listeners (country)" in learns
    assert ignores == other == "Listeners without a history get what is popular in their country and age band."
