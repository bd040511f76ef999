"""
A weekly chart of the world: the hundred most played recordings of each week, with noise added to the counts.

Charts name songs by title and artist; every other song also has its ISRC. The truth file names the recording of each
song. The last edition covers the last seven days.
"""

import numpy as np
import polars as pl

from recsys.demo.catalogue import Catalogue
from recsys.demo.playing import Listens
from recsys.demo.world import Truth, World

NAME, N_PLACES = "Demo 100", 100
NOISE = 0.15  # standard deviation of ln(published count / plays)
STREAMS_PER_PLAY = 1_000


def chart_table(world: World, catalogue: Catalogue, listens: Listens, rng: np.random.Generator) -> pl.DataFrame:
    """Return the chart of all complete weeks with the columns of its file and `track_id`, which the file lacks."""
    n_weeks, n_tracks = world.n_days // 7, len(catalogue.tracks.ids)
    weeks_ago = (world.n_days - 1 - listens.day.astype(np.int64)) // 7
    is_whole = (weeks_ago >= 0) & (weeks_ago < n_weeks)
    cell = weeks_ago[is_whole] * n_tracks + listens.track[is_whole]
    plays = np.bincount(cell, minlength=n_weeks * n_tracks).reshape(n_weeks, n_tracks)
    counted = np.rint(STREAMS_PER_PLAY * plays * rng.lognormal(0, NOISE, plays.shape)).astype(np.int64)
    best = np.argsort(-counted, axis=1, kind="stable")[::-1, :N_PLACES]  # (n_weeks, N_PLACES), the first week first
    day = world.n_days - 1 - 7 * np.repeat(np.arange(n_weeks)[::-1], N_PLACES)
    places = pl.DataFrame(
        {
            "chart": NAME,
            "chart_date": [world.date_of(int(number)) for number in day],
            "rank": np.tile(np.arange(1, N_PLACES + 1), n_weeks),
            "track_id": pl.Series(catalogue.tracks.ids).gather(best.ravel()),
            "value": np.take_along_axis(counted[::-1], best, axis=1).ravel(),
        }
    )
    return _named(places.filter(pl.col("value") > 0), catalogue)


def _named(places: pl.DataFrame, catalogue: Catalogue) -> pl.DataFrame:
    """Add title and artist, and the ISRC to every second recording."""
    artists = catalogue.artist_table.select("artist_id", artist="name")
    tracks = catalogue.track_table.with_row_index("row").join(artists, on="artist_id", how="left")
    described = tracks.select("track_id", "title", "artist", isrc=pl.when(pl.col("row") % 2 == 0).then("isrc"))
    return places.join(described, on="track_id", how="left", maintain_order="left").select(
        "chart", "chart_date", "rank", "title", "artist", "isrc", "value", "track_id"
    )


def chart_truths(chart: pl.DataFrame) -> list[Truth]:
    """Return one truth per charted song: its recording and best rank."""
    songs = chart.group_by("track_id", "title", "artist", maintain_order=True).agg(best=pl.col("rank").min())
    return [
        Truth("charted", row["track_id"], None, {"title": row["title"], "artist": row["artist"], "best": row["best"]})
        for row in songs.iter_rows(named=True)
    ]
