"""
Planted wrong metadata.

The faults are: release dates after the first listen, impossible durations, malformed ISRCs, tracks without a label,
tracks that the log names but the track table lacks, and artists that the catalogue names but the artist table lacks.
"""

from dataclasses import dataclass

import numpy as np
import polars as pl

from recsys.demo.catalogue import NEVER_WITHDRAWN, Catalogue
from recsys.demo.world import Truth, World

N_WRONG_DATES = 6
N_WRONG_DURATIONS = 6
N_WRONG_ISRCS = 8
N_WITHOUT_LABEL = 8
N_STUB_TRACKS = 5
N_STUB_ARTISTS = 4
DURATIONS_MS = (10_800_000, 14_400_000, 900)  # three hours, four hours, less than a second
ISRCS = ("US-{}", "{}X", "0000", "{}/A", "n/a", "??{}")


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables of the catalogue that are written to files."""

    labels: pl.DataFrame
    artists: pl.DataFrame
    tracks: pl.DataFrame


def add_wrong_metadata(
    world: World, catalogue: Catalogue, unused: np.ndarray, heard_early: np.ndarray, rng: np.random.Generator
) -> tuple[Tables, list[Truth]]:
    """
    Put wrong values into the tables of a catalogue.

    Args:
        world: The world's settings.
        catalogue: The catalogue with all its tracks.
        unused: Mask of the tracks that no other planted fact uses, (n_tracks,).
        heard_early: Listens of each track in the first month, (n_tracks,).
        rng: Random generator.

    Returns:
        The tables to write, and one truth per wrong value.
    """
    eligible = (
        unused
        & (heard_early >= 5)
        & (catalogue.tracks.release_day < 0)
        & (catalogue.tracks.withdrawn_day == NEVER_WITHDRAWN)
    )
    eligible &= catalogue.track_table["isrc"].is_not_null().to_numpy()  # an invented ISRC could create a duplicate
    counts = (N_WRONG_DATES, N_WRONG_DURATIONS, N_WRONG_ISRCS, N_WITHOUT_LABEL, N_STUB_TRACKS)
    drawn = rng.choice(np.flatnonzero(eligible), sum(counts), replace=False)
    dates, durations, isrcs, unlabelled, stubs = np.split(drawn, np.cumsum(counts)[:-1])
    values: dict[str, tuple[np.ndarray, list[object]]] = {
        "release_date": (dates, [world.date_of(day) for day in rng.integers(45, 80, len(dates))]),
        "duration_ms": (durations, [DURATIONS_MS[nth % len(DURATIONS_MS)] for nth in range(len(durations))]),
        "isrc": (isrcs, _broken_isrcs(catalogue.track_table["isrc"].gather(isrcs))),
        "label_id": (unlabelled, [None] * len(unlabelled)),
    }
    tracks = catalogue.track_table
    truths: list[Truth] = []
    for column, (rows, wrong) in values.items():
        tracks, overwritten = _overwrite(tracks, column, rows, wrong)
        truths += overwritten
    artists, stub_artists = _without(
        catalogue.artist_table, "artist_id", rng.choice(world.n_artists, N_STUB_ARTISTS, replace=False)
    )
    tracks, stub_tracks = _without(tracks, "track_id", stubs)
    return Tables(catalogue.label_table, artists, tracks), truths + stub_artists + stub_tracks


def _broken_isrcs(codes: pl.Series) -> list[object]:
    return [ISRCS[nth % len(ISRCS)].format(code) for nth, code in enumerate(codes)]


def _overwrite(
    table: pl.DataFrame, column: str, rows: np.ndarray, values: list[object]
) -> tuple[pl.DataFrame, list[Truth]]:
    """Set a column of some tracks to wrong values; each truth holds both values."""
    right = table[column].gather(rows)
    wrong = pl.Series(column, values, dtype=table.schema[column])
    truths = [
        Truth(f"wrong_{column}", track_id, None, {"written": bad, "right": good})
        for track_id, bad, good in zip(table["track_id"].gather(rows), wrong, right, strict=True)
    ]
    order = np.argsort(rows)
    replaced = table[column].scatter(rows[order], wrong.gather(order))
    return table.with_columns(replaced), truths


def _without(table: pl.DataFrame, key: str, rows: np.ndarray) -> tuple[pl.DataFrame, list[Truth]]:
    """Remove rows from their table, but keep all references to their ids."""
    removed = table[key].gather(np.sort(rows))
    kind = f"stub_{key.removesuffix('_id')}"
    truths = [Truth(kind, value, None, {"missing_from": f"{key.removesuffix('_id')}s"}) for value in removed]
    return table.filter(~pl.col(key).is_in(removed.implode())), truths
