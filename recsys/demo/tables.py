"""
The raw tables as frames: the rows of each file, and its format.

The months of the log differ, like exports of different years: ISO times or epoch seconds, CSV or Parquet, single or
aggregated listens, with or without the source of plays. Some files contain personal data that ingest must drop
(`ip_address`, `e_mail`).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import polars as pl

from recsys.demo.catalogue import Catalogue
from recsys.demo.events import KINDS, Events, iso
from recsys.demo.listeners import Listeners
from recsys.demo.playing import NO_OFFSET, UNKNOWN, Listens
from recsys.demo.world import World

ROWS_PER_CHUNK = 400_000
AGGREGATED_SHARE = 0.003


class Shape(NamedTuple):
    """The format of one month of the log."""

    suffix: str
    in_seconds: bool
    is_aggregated: bool
    with_ip: bool
    with_source: bool


SHAPES = (
    Shape(".csv.gz", in_seconds=False, is_aggregated=False, with_ip=True, with_source=False),
    Shape(".parquet", in_seconds=True, is_aggregated=True, with_ip=False, with_source=False),
    Shape(".csv.gz", in_seconds=True, is_aggregated=False, with_ip=False, with_source=True),
    Shape(".csv.gz", in_seconds=False, is_aggregated=False, with_ip=False, with_source=True),
)


class Month(NamedTuple):
    """A month of the log: the name of its file, its format, and its rows of the log."""

    file: str
    shape: Shape
    rows: np.ndarray


def months(world: World, listens: Listens) -> list[Month]:
    """Divide the log by calendar month of the local day; months after the fourth have the format of the fourth."""
    names = [f"{world.date_of(day):%Y-%m}" for day in range(world.n_days)]
    distinct = sorted(set(names))
    number = np.array([distinct.index(name) for name in names])[listens.day]
    shapes = [SHAPES[min(nth, len(SHAPES) - 1)] for nth in range(len(distinct))]
    return [
        Month(f"listens_{name}{shape.suffix}", shape, np.flatnonzero(number == nth))
        for nth, (name, shape) in enumerate(zip(distinct, shapes, strict=True))
    ]


def listen_chunks(
    world: World,
    catalogue: Catalogue,
    listeners: Listeners,
    listens: Listens,
    *,
    month: Month,
    rng: np.random.Generator,
) -> Iterator[pl.DataFrame]:
    """Yield the rows of one month as frames of at most ROWS_PER_CHUNK rows."""
    track_ids, user_ids = pl.Series(catalogue.tracks.ids), pl.Series(listeners.ids)
    for low in range(0, len(month.rows), ROWS_PER_CHUNK):
        part = listens.take(month.rows[low : low + ROWS_PER_CHUNK])
        frame = pl.DataFrame(
            {
                "user_id": user_ids.gather(part.listener),
                "track_id": track_ids.gather(part.track),
                "listened_at": part.at_s.astype(np.int64) + world.first_second
                if month.shape.in_seconds
                else iso(world, part.at_s),
                "ms_played": _null_where(part.ms_played, UNKNOWN),
                "skipped": _null_where(part.skipped, UNKNOWN).cast(pl.Boolean),
                "utc_offset_min": _null_where(part.offset_min, NO_OFFSET),
            }
        )
        frame = _aggregated(frame, rng) if month.shape.is_aggregated else frame
        frame = frame.with_columns(source=_sources(part.source)) if month.shape.with_source else frame
        yield frame.with_columns(ip_address=_ips(part.listener)) if month.shape.with_ip else frame


def event_table(world: World, catalogue: Catalogue, listeners: Listeners, events: Events) -> pl.DataFrame:
    """Return the events with the columns of their file."""
    return pl.DataFrame(
        {
            "user_id": pl.Series(listeners.ids).gather(events.listener),
            "track_id": pl.Series(catalogue.tracks.ids).gather(events.track),
            "event_at": iso(world, events.at_s),
            "event": pl.Series(KINDS).gather(events.kind),
            "ip_address": _ips(events.listener),
        }
    )


def user_table(listeners: Listeners, rng: np.random.Generator) -> pl.DataFrame:
    """Return the users with the columns of their file, including mail addresses."""
    number = rng.choice(900_000, len(listeners.table), replace=False) + 100_000
    return listeners.table.with_columns(e_mail=pl.format("reader.{}@example.org", pl.Series(number)))


def shuffled(table: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Return the rows in random order."""
    return table[rng.permutation(len(table))]


def _null_where(values: np.ndarray, missing: int) -> pl.Series:
    series = pl.Series(values)
    return series.set(series == missing, None)


def _sources(source: np.ndarray) -> pl.Series:
    names = pl.Series(["active", "algorithmic", "unknown"])
    return names.gather(np.where(source == UNKNOWN, 2, source))


def _aggregated(frame: pl.DataFrame, rng: np.random.Generator) -> pl.DataFrame:
    """Replace some rows by aggregated ones, which count several listens of a day, without duration and skip flag."""
    counts = np.where(rng.random(len(frame)) < AGGREGATED_SHARE, rng.integers(2, 5, len(frame)), 1)
    several = pl.col("n_listens") > 1
    return frame.with_columns(pl.Series("n_listens", counts)).with_columns(
        pl.when(~several).then(name).alias(name) for name in ("ms_played", "skipped")
    )


def _ips(listener: np.ndarray) -> pl.Series:
    """Return IP addresses from the blocks reserved for documentation."""
    addresses = pl.Series([f"{block}.{last}" for block in ("198.51.100", "203.0.113") for last in range(1, 255)])
    return addresses.gather(listener.astype(np.int64) * 7_919 % len(addresses))
