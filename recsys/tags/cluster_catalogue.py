"""
Cluster the catalogue by sound, and write the clusters: what `recsys tags clusters` does.

Each recording's cluster enters the raw table `audio_tags` as a tag of the tagger `clusters`; that of an earlier call is
taken back. The clusters themselves are a file in `<home>/tags/clusters`, which is written last.
"""

from datetime import date

import numpy as np
import polars as pl

from recsys import files
from recsys.home import Home
from recsys.rights.trainings import TrainingRecord, consents, record
from recsys.tags.clusters import CLUSTERS, cluster, cluster_tags, describe
from recsys.tags.inputs import SOUND, TrackInputs
from recsys.tags.learn import write_tags
from recsys.tags.train import TagSettings, may_train
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

FOUND = "clusters.parquet"


def cluster_catalogue(
    home: Home, *, n_clusters: int | None, with_unknown: bool, seed: int, today: date
) -> pl.DataFrame:
    """
    Cluster the recordings of a catalogue, and write their clusters to the lake.

    Args:
        home: The home; the caller must hold its lock.
        n_clusters: See `clusters.cluster`.
        with_unknown: Whether to learn from recordings whose consent is unknown, too.
        seed: Seed of sample and starts.
        today: The day of the ingest.

    Returns:
        The clusters (`clusters.CLUSTERS_COLUMNS`), the largest first, with the titles of the central recordings.

    Raises:
        InputError: No recording with an embedding may be learned from.
        SetupError: The home has no published warehouse.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        catalogue = TrackInputs.read(warehouse, None, [SOUND])
        tags = warehouse.query(internal_sql("tags_of_clusters"))
        names = warehouse.query(internal_sql("names_of_tracks"))
    _, vectors = catalogue.blocks[SOUND]
    settings = TagSettings(with_unknown=with_unknown)
    may_learn = may_train(catalogue, settings)
    found = cluster(vectors, may_learn, n_clusters=n_clusters, seed=seed)
    track_ids = pl.Series(catalogue.tracks.ids(), dtype=pl.String)
    described = describe(found, track_ids, tags)
    named, folder = _with_titles(described, names), home.tags / CLUSTERS
    write_tags(home, CLUSTERS, folder, cluster_tags(found, track_ids, described), today=today)
    files.write_atomically(folder / FOUND, named.write_parquet)
    heard = track_ids.filter(may_learn & ~np.isnan(vectors).all(axis=1))
    training = TrainingRecord(CLUSTERS, today, (SOUND,), settings.consents)
    record(home, training, {"sound": consents(catalogue.facts, heard)})
    return named


def _with_titles(described: pl.DataFrame, names: pl.DataFrame) -> pl.DataFrame:
    """Add central_titles, in the order of central_tracks: the titles with the artists' names."""
    rows = described.select("cluster", track_id="central_tracks").explode("track_id")
    titles = rows.join(names, on="track_id", how="left", maintain_order="left")
    text = pl.format("{} by {}", pl.col("title").fill_null("?"), pl.col("artist_name").fill_null("?"))
    lists = titles.group_by("cluster", maintain_order=True).agg(central_titles=text)
    return described.join(lists, on="cluster", how="left", maintain_order="left")
