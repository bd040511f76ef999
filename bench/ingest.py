"""
Cost of ingest: CPU seconds and memory for generated listens in several formats, beside a plain copy by DuckDB.

CSV, Parquet and JSON Lines are compared with `copy (select * from FILE) to 'x.parquet'` of DuckDB, which neither checks
nor deduplicates nor pseudonymises, and with such a copy to a file per day, which the lake has; the bar is 2.5 times the
CPU time of the former. A Last.fm history in two sizes shows whether time
and memory grow linearly; its bar is 3 GB. A delivery of Spotify (zip) has a bar of 20 CPU seconds per million listens.
Each measurement is a process of its own.
"""

import json
import multiprocessing
import os
import resource
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import click

from bench.options import benchmark, size

COPY_BAR, LASTFM_BAR_GB, SPOTIFY_BAR_S = 2.5, 3.0, 20.0
N_USERS, N_TRACKS, N_ARTISTS = 20_000, 60_000, 5_000
SLICE, PER_MEMBER, N_DAYS = 1_000_000, 20_000, 365
START, TODAY = datetime(2025, 1, 1, tzinfo=UTC), date(2026, 6, 30)


class Cost(NamedTuple):
    """CPU time of a process [s], its peak memory [GB] and the rows that it accepted."""

    cpu_s: float
    peak_gb: float
    n_rows: int


def cost(work: Callable[..., int], *arguments: object) -> Cost:
    """Run a function in a process of its own, and return what it cost after its imports."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_measured, (work, *arguments))


def _measured(work: Callable[..., int], *arguments: object) -> Cost:
    from recsys.ingest.source import FORMATS, format_names

    for module in ("duckdb", "recsys.ingest.run", *(f"{FORMATS}.{name}" for name in format_names())):
        import_module(module)  # what a process costs without any file is not measured
    before = sum(os.times()[:2])
    n_rows = work(*arguments)
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    return Cost(sum(os.times()[:2]) - before, peak_gb, n_rows)


def ingested(path: Path) -> int:
    """Ingest a file into a new home, and return the number of listens accepted."""
    from recsys.home import Home
    from recsys.ingest.run import ingest

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        report = ingest(Home(Path(folder)), [path], today=TODAY)
    return sum(batch.n_accepted for batch in report.batches if batch.table == "listens")


def copied(path: Path, reader: str, layout: str = "") -> int:
    """Copy a file to Parquet with DuckDB: to one file, or with a `layout` to one for each value of `ds`."""
    import duckdb

    with tempfile.TemporaryDirectory(dir=path.parent) as folder, duckdb.connect() as connection:
        day = "cast(cast(listened_at as timestamp) as date) as ds"
        query = f"select *{f', {day}' if layout else ''} from {reader}('{path}')"
        connection.execute(f"copy ({query}) to '{folder}/x.parquet' (format parquet{layout})")
    return 0


def write_listens(folder: Path, n_rows: int) -> None:
    """Write the same listens as CSV, Parquet and JSON Lines."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(1)
    times = pl.Series(np.sort(rng.integers(0, N_DAYS * 86_400, n_rows))) * 1_000_000
    listens = pl.DataFrame(
        {
            "user_id": [f"account-{user}" for user in rng.integers(0, N_USERS, n_rows)],
            "track_id": [f"track-{track}" for track in rng.zipf(1.3, n_rows) % N_TRACKS],
            "listened_at": (pl.lit(START.replace(tzinfo=None)) + times.cast(pl.Duration("us")))
            .dt.to_string("%Y-%m-%dT%H:%M:%SZ").pipe(lambda texts: pl.select(texts).to_series()),
            "ms_played": rng.integers(0, 300_000, n_rows),
        }
    )  # fmt: skip
    listens.write_csv(folder / "listens.csv")
    listens.write_parquet(folder / "listens.parquet")
    listens.write_ndjson(folder / "listens.jsonl")


def write_lastfm(path: Path, n_rows: int) -> None:
    """Write a Last.fm history without ids, slice by slice."""
    import numpy as np
    import polars as pl

    rng = np.random.default_rng(2)
    with path.open("wb") as target:
        for first in range(0, n_rows, SLICE):
            n = min(SLICE, n_rows - first)
            seconds = np.sort(rng.integers(0, N_DAYS * 86_400, n)).astype("timedelta64[s]").astype("timedelta64[us]")
            times = pl.Series(np.datetime64(START.replace(tzinfo=None), "us") + seconds)
            tracks = rng.zipf(1.3, n) % N_TRACKS
            rows = {
                "user": [f"user_{user:06}" for user in rng.integers(0, N_USERS, n)],
                "time": times.dt.to_string("%Y-%m-%dT%H:%M:%SZ"),
                "artist_id": [""] * n,
                "artist": [f"Artist {track % N_ARTISTS}" for track in tracks],
                "track_id": [""] * n,
                "track": [f"Track {track}" for track in tracks],
            }
            pl.DataFrame(rows).write_csv(target, separator="\t", include_header=False, quote_style="never")


def write_spotify(path: Path, n_rows: int) -> None:
    """Write an extended streaming history as it is delivered: a zip of indented JSON arrays."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for number, first in enumerate(range(0, n_rows, PER_MEMBER)):
            streams = [_stream(n) for n in range(first, min(n_rows, first + PER_MEMBER))]
            name = f"Spotify Extended Streaming History/Streaming_History_Audio_{number}.json"
            target.writestr(name, json.dumps(streams, indent=2))


def _stream(n: int) -> dict[str, object]:
    track = n * 7_919 % N_TRACKS
    return {
        "ts": (START + timedelta(seconds=n * N_DAYS * 86_400 // 1_000_000 % (N_DAYS * 86_400))).isoformat()[:19] + "Z",
        "platform": "ios", "ms_played": n * 37 % 240_000, "conn_country": "DE", "ip_addr": "10.0.0.1",
        "master_metadata_track_name": f"Track {track}",
        "master_metadata_album_artist_name": f"Artist {track % N_ARTISTS}",
        "master_metadata_album_album_name": f"Album {track % 9_000}",
        "spotify_track_uri": f"spotify:track:{track:022}", "episode_name": None, "episode_show_name": None,
        "spotify_episode_uri": None, "reason_start": "clickrow", "reason_end": ("trackdone", "fwdbtn")[n % 2],
        "shuffle": True, "skipped": False, "offline": False, "offline_timestamp": 1_700_000_000,
        "incognito_mode": False,
    }  # fmt: skip


def formats(folder: Path, n_rows: int) -> Iterator[str]:
    """Yield one line per general format, beside DuckDB's copy."""
    write_listens(folder, n_rows)
    for name, reader in (("csv", "read_csv"), ("parquet", "read_parquet"), ("jsonl", "read_json")):
        path = folder / f"listens.{name}"
        ours, plain = cost(ingested, path), cost(copied, path, reader)
        by_day = cost(copied, path, reader, ", partition_by (ds)")
        ratio = ours.cpu_s / max(plain.cpu_s, 1e-9)
        met = "met" if ratio <= COPY_BAR else "not met"
        yield (
            f"{name:8} {ours.n_rows:>12,} listens {ours.cpu_s:8.1f} CPU-s {ours.peak_gb:6.2f} GB, "
            f"copy {plain.cpu_s:.1f} CPU-s: {ratio:.1f} times, bar {COPY_BAR} ({met}); "
            f"copy by day, as the lake is, {by_day.cpu_s:.1f} CPU-s: {ours.cpu_s / max(by_day.cpu_s, 1e-9):.1f} times"
        )


def lastfm(folder: Path, n_rows: int) -> Iterator[str]:
    """Yield one line for a quarter of a history and one for the whole."""
    path = folder / "history.tsv"
    for n in (max(1, n_rows // 4), n_rows):
        write_lastfm(path, n)
        found = cost(ingested, path)
        met = "met" if found.peak_gb <= LASTFM_BAR_GB else "not met"
        yield (
            f"Last.fm  {found.n_rows:>12,} listens {found.cpu_s:8.1f} CPU-s {found.peak_gb:6.2f} GB, "
            f"{found.cpu_s / n * 1e6:.1f} CPU-s per million, bar {LASTFM_BAR_GB} GB ({met})"
        )
    path.unlink()


def spotify(folder: Path, n_rows: int) -> str:
    """Return the line of a delivery of Spotify."""
    write_spotify(folder / "spotify.zip", n_rows)
    found = cost(ingested, folder / "spotify.zip")
    per_million = found.cpu_s / n_rows * 1e6
    met = "met" if per_million <= SPOTIFY_BAR_S else "not met"
    return (
        f"Spotify  {found.n_rows:>12,} listens {found.cpu_s:8.1f} CPU-s {found.peak_gb:6.2f} GB, "
        f"{per_million:.1f} CPU-s per million, bar {SPOTIFY_BAR_S:.0f} ({met})"
    )


@benchmark(headline=r"csv .*: (\d+\.\d) times")
@size("--rows", "n_rows", default=2_000_000, smallest=1_000, help="Listens as CSV, Parquet and JSON Lines; 0: none.")
@size("--lastfm", "n_lastfm", default=20_000_000, smallest=1_000, help="Listens of the Last.fm history; 0: none.")
@size("--spotify", "n_spotify", default=1_000_000, smallest=1_000, help="Streams of the Spotify delivery; 0: none.")
def main(n_rows: int, n_lastfm: int, n_spotify: int) -> None:
    """Print one line per format and size."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for line in formats(folder, n_rows) if n_rows else ():
            click.echo(line)
        if n_spotify:
            click.echo(spotify(folder, n_spotify))
        for line in lastfm(folder, n_lastfm) if n_lastfm else ():
            click.echo(line)


if __name__ == "__main__":
    main()
