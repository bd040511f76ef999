"""The interactions and words of a demo world of any size, made in memory, and the simulated likes of a catalogue."""

from datetime import timedelta
from typing import TYPE_CHECKING

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.rerank.base import RerankContext

if TYPE_CHECKING:
    from recsys.demo.world import World
    from recsys.demo.write import SimulatedWorld

TEST_DAYS = 14


def demo_split(scale: float, n_tracks: int) -> Split:
    """
    Simulate a demo world and split its listens: the last two weeks are the test.

    Args:
        scale: Factor on the listeners; 1 is 2,500 listeners and a million listens.
        n_tracks: Recordings in the catalogue; a demo world as written has 4,000.
    """
    from recsys.demo.world import World
    from recsys.demo.write import simulate

    world = World(scale=scale, n_tracks=n_tracks, n_tracks_with_audio=0)
    simulated = simulate(world)
    played = completed(world, simulated).with_columns(pl.col("age_days") - TEST_DAYS)
    train = Interactions.of(
        pairs_of(played.filter(pl.col("age_days") >= 0)),
        catalogue=catalogue_of(simulated),
        as_of=world.as_of - timedelta(days=TEST_DAYS),
    )
    return Split.of(train, played.filter(pl.col("age_days") < 0).select("user_id", "track_id").unique())


def demo_context(world: "World") -> RerankContext:
    """Simulate a demo world; return its whole log, listeners with their country, tracks with gender and country."""
    from recsys.demo.write import simulate

    simulated = simulate(world)
    catalogue = simulated.catalogue
    of_tracks = catalogue.artist_table.select(artist_gender="gender", artist_country="country")[catalogue.tracks.artist]
    interactions = Interactions.of(
        pairs_of(completed(world, simulated)),
        catalogue=catalogue_of(simulated),
        listeners=simulated.listeners.table.select("user_id", "country"),
        as_of=world.as_of,
    )
    return RerankContext.of(interactions, of_tracks.insert_column(0, pl.Series("track_id", catalogue.tracks.ids)))


def demo_words(world: "World") -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """
    Simulate a demo world with lyrics.

    Returns:
        The pairs of its whole log; its catalogue; and the words of its lyrics as `lyric_features` needs them, found in
        the texts as ingest finds them.
    """
    from recsys.demo.write import simulate
    from recsys.lyrics.analysis import analyse
    from recsys.lyrics.lines import from_text

    simulated, rng = simulate(world), world.rng("texts")
    texts = {track_id: analyse(from_text(sung.text(rng))) for track_id, sung in simulated.sung.items()}
    words = [
        (track_id, text.measures.language.code, word, n)
        for track_id, text in texts.items()
        for word, n in text.words.items()
    ]
    languages = simulated.catalogue.track_table.select("track_id", "language")
    return (
        pairs_of(completed(world, simulated)),
        catalogue_of(simulated).join(languages, on="track_id", how="left"),
        pl.DataFrame(words, ["track_id", "language", "word", "n"], orient="row"),
    )


def completed(world: "World", simulated: "SimulatedWorld") -> pl.DataFrame:
    """Return the listens that were not skipped: user_id, track_id, age_days before the end of the world [d]."""
    listens, tracks = simulated.listens, simulated.catalogue.tracks
    completed = listens.skipped != 1
    return pl.DataFrame(
        {
            "user_id": simulated.listeners.ids[listens.listener[completed]],
            "track_id": tracks.ids[listens.track[completed]],
            "age_days": world.n_days - listens.at_s[completed] / 86_400,
        }
    )


def pairs_of(played: pl.DataFrame) -> pl.DataFrame:
    """Return the listens of each pair: user_id, track_id, strength (number of listens), age_days of the last."""
    pairs = played.group_by("user_id", "track_id")
    return pairs.agg(pl.len().cast(pl.Float64).alias("strength"), pl.col("age_days").min())


def catalogue_of(simulated: "SimulatedWorld") -> pl.DataFrame:
    """Return the recordings with artist and genre as features."""
    catalogue = simulated.catalogue
    artists = pl.DataFrame({"track_id": catalogue.tracks.ids, "artist": catalogue.artists.ids[catalogue.tracks.artist]})
    return artists.join(catalogue.track_table.select("track_id", genre="genres"), on="track_id", how="left")
