"""The interactions of a demo world of any size, made in memory, and the simulated likes of a catalogue of any size."""

from datetime import timedelta

import polars as pl

from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split

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
    listens = simulated.listens
    tracks = simulated.catalogue.tracks
    completed = listens.skipped != 1
    played = pl.DataFrame(
        {
            "user_id": simulated.listeners.ids[listens.listener[completed]],
            "track_id": tracks.ids[listens.track[completed]],
            "age_days": world.n_days - TEST_DAYS - listens.at_s[completed] / 86_400,
        }
    )
    catalogue = pl.DataFrame({"track_id": tracks.ids, "artist": simulated.catalogue.artists.ids[tracks.artist]}).join(
        simulated.catalogue.track_table.select("track_id", genre="genres"), on="track_id", how="left"
    )
    pairs = played.filter(pl.col("age_days") >= 0).group_by("user_id", "track_id")
    train = Interactions.of(
        pairs.agg(pl.len().cast(pl.Float64).alias("strength"), pl.col("age_days").min()),
        catalogue=catalogue,
        as_of=world.as_of - timedelta(days=TEST_DAYS),
    )
    return Split.of(train, played.filter(pl.col("age_days") < 0).select("user_id", "track_id").unique())
