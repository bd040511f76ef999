"""
Rights: planted conflicts of generated registries, the cost of import and conflicts, and royalties of generated plays.

Conflicts: the demo's registry and licences of a generated catalogue that one listener plays, with planted conflicts of
16 kinds and as many lawful look-alikes. Found is the number of planted ones in marts.rights_conflicts; false is the
number of all others there.

Cost: works with five shares each (one source, the whole world) from CSV files, ingested and built; CPU seconds.

Royalties: plays of listeners by recordings with a Zipf distribution, both models, by owner; seconds. The amounts must
add up to the pot, and be the same for the rows in another order.

Statement: one owner of many works, each played by just enough listeners that it has a line of its own; seconds to make
the lines with their disclosure test, and to write the file.
"""

import resource
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

import numpy as np
import polars as pl

from bench.options import benchmark, size
from recsys.demo.licences import make_licences
from recsys.demo.rights import iswc, make_registry, registry_tables
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.ledger.settings import LabelSettings
from recsys.pipeline.plan import result_tables
from recsys.rights.check import conflicts
from recsys.rights.royalties import MODELS, Pot, Registry, royalties
from recsys.rights.statements import statements, write_statements
from recsys.warehouse.build import Sources, build
from recsys.warehouse.query import Warehouse

SEED, AS_OF = 7, date(2026, 1, 31)
POT = Pot(date(2026, 1, 1), 123_456_789, "performing")
N_PLANTED, N_SHARES = 5, 5
# CPU-seconds and GB of a million works; seconds of ten million plays, and of a million lines
BARS = {"import": 120, "conflicts": 60, "memory": 6, "royalties": 30, "statement": 10}


@benchmark(headline=r"planted conflicts found (\d+)")
@size("--tracks", "n_tracks", default=2_000, smallest=200, help="Recordings of the planted registry.")
@size("--works", "n_works", default=1_000_000, smallest=50, help="Works that are imported.")
@size("--plays", "n_plays", default=10_000_000, smallest=500, help="Plays of which royalties are computed.")
@size("--lines", "n_lines", default=1_000_000, smallest=50, help="Lines of the statement of one owner.")
def main(n_tracks: int, n_works: int, n_plays: int, n_lines: int) -> None:
    """Print the results with their bars."""
    rng = np.random.default_rng(SEED)
    find_planted(n_tracks, rng)
    measure_import(n_works)
    measure_royalties(n_plays, rng)
    measure_statement(n_lines)


def find_planted(n_tracks: int, rng: np.random.Generator) -> None:
    """Print how many planted conflicts are found, and how many others."""
    numbers = range(n_tracks)
    isrc = [f"DEA01{min(n, n_tracks - 10):07d}" for n in numbers]  # the last ten share one
    tracks = pl.DataFrame({"track_id": [f"t{n:06d}" for n in numbers], "title": [f"Song {n}" for n in numbers]})
    tracks = tracks.with_columns(isrc=pl.Series(isrc), artist_id=pl.lit("a"))
    registry = make_registry(tracks, AS_OF, N_PLANTED, rng)
    licences, truths = make_licences(tracks, tracks["track_id"], AS_OF, N_PLANTED, rng)
    truths += registry.truths
    played = tracks.select(
        "track_id", user_id=pl.lit("u"), listened_at=pl.lit(f"{AS_OF - timedelta(days=9)}T10:00:00Z"), ms_played=60_000
    )
    users = pl.DataFrame({"user_id": ["u"], "country": ["DE"]})
    files = {"tracks": tracks, "licences": licences, "listens": played, "users": users} | registry_tables(registry)
    with TemporaryDirectory() as folder:
        for table, rows in files.items():
            rows.write_ndjson(Path(folder) / f"{table}.jsonl")
        found = set(_built_conflicts(Path(folder), "*.jsonl").select("kind", "subject").rows())
    planted = {(truth.details["kind"], truth.id) for truth in truths if truth.kind == "rights_conflict"}
    n_lawful = sum(truth.kind == "rights_lawful" for truth in truths)
    n_kinds = len({kind for kind, _ in planted})
    print(f"planted conflicts found {len(planted & found)} of {len(planted)}, of {n_kinds} kinds")
    print(f"  false: {len(found - planted)} (lawful look-alikes: {n_lawful}); bar 0")


def _built_conflicts(folder: Path, files: str) -> pl.DataFrame:
    """Ingest files and return the conflicts, printing the CPU time of both."""
    home, built = Home(folder / "home"), folder / "built.duckdb"
    started = process_time()
    ingest(home, sorted(folder.glob(files)), today=AS_OF)
    imported = process_time()
    build(built, Sources(Lake(home), AS_OF, results=result_tables()), only=["marts.rights_conflicts"])
    print(f"  import {imported - started:.1f} CPU-s, tables and conflicts {process_time() - imported:.1f} CPU-s")
    with Warehouse.open(built) as warehouse:
        return conflicts(warehouse)


def measure_import(n_works: int) -> None:
    """Print the CPU time of the import of works and shares, and of finding their conflicts."""
    number = pl.int_range(n_works, eager=True)
    works = pl.DataFrame({"work_id": number, "title": pl.Series([f"Song {n}" for n in range(n_works)])}).with_columns(
        source=pl.lit("publisher:one"),
        registered_at=pl.lit("2026-01-01T00:00:00Z"),
        iswc=pl.Series([iswc(n) for n in range(n_works)]),
    )
    claims = works.select("source", "work_id", "registered_at").join(
        pl.DataFrame({"claim_no": range(1, N_SHARES + 1)}), how="cross"
    )
    party = pl.format("p{}", (pl.col("work_id") + pl.col("claim_no")) % 100_000)
    shares = claims.with_columns(party_id=party, party_name=party, right_type=pl.lit("performing"), share=pl.lit(20))
    print(f"{n_works:,} works with {shares.height:,} shares:")
    with TemporaryDirectory() as folder:
        works.write_csv(Path(folder) / "works.csv")
        shares.write_csv(Path(folder) / "work_shares.csv")
        n_conflicts = _built_conflicts(Path(folder), "*.csv").height
    peak_gb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"  conflicts: {n_conflicts}; peak memory {peak_gb:.1f} GB")
    print(f"  bars {BARS['import']} and {BARS['conflicts']} CPU-s, {BARS['memory']} GB for a million works")


def measure_royalties(n_plays: int, rng: np.random.Generator) -> None:
    """Print the time of both models, whether the amounts add up, and whether they depend on the order of rows."""
    registry = _generated(n_plays, rng)
    print(f"royalties of {n_plays:,} plays in {registry.plays.height:,} rows:")
    for model in MODELS:
        started, cpu_started = perf_counter(), process_time()
        paid = royalties(registry, POT, model)  # type: ignore[arg-type]
        seconds, cpu_s = perf_counter() - started, process_time() - cpu_started
        shuffled = Registry(registry.plays.sample(fraction=1, shuffle=True, seed=SEED), registry.works, registry.owners)
        is_same = royalties(shuffled, POT, model).equals(paid)  # type: ignore[arg-type]
        is_exact = paid["amount"].sum() == POT.amount
        print(f"  {model}: {seconds:.1f} s, {cpu_s:.1f} CPU-s; sum exact: {is_exact}, in any order: {is_same}")
    print(f"  bar {BARS['royalties']} s for both models of ten million plays")


def measure_statement(n_lines: int) -> None:
    """Print the time to make and to write the statement of one owner."""
    settings = LabelSettings()
    work = pl.select(pl.format("w{}", pl.int_range(n_lines)).alias("work_key"))
    users = pl.DataFrame({"user_id": [f"u{n}" for n in range(settings.min_listeners)]})
    plays = work.select(track_id="work_key", territory=pl.lit("DE"), n_plays=1).join(users, how="cross")
    owners = work.with_columns(territory=pl.lit("WW"), owner=pl.lit("o"), weight=pl.lit(10_000, pl.Int64))
    registry = Registry(plays, work.with_columns(track_id="work_key"), owners)
    started, cpu_started = perf_counter(), process_time()
    lines = statements(registry, POT, "pro_rata", settings)
    made, cpu_s = perf_counter(), process_time() - cpu_started
    with TemporaryDirectory() as folder:
        fixed = {"month": POT.month, "pot": POT.amount, "currency": "EUR", "closed_on": AS_OF}
        stated = lines.with_columns(pl.lit(value).alias(name) for name, value in fixed.items())
        write_statements(stated, Path(folder) / "statements")
        written = perf_counter()
    print(f"statement of an owner of {n_lines:,} works, {plays.height:,} rows of plays: {lines.height:,} lines")
    print(f"  made in {made - started:.1f} s, {cpu_s:.1f} CPU-s, written in {written - made:.1f} s")
    print(f"  bar {BARS['statement']} s for a million lines")


def _generated(n_plays: int, rng: np.random.Generator) -> Registry:
    n_tracks, n_listeners = max(n_plays // 200, 10), max(n_plays // 100, 5)
    drawn = pl.DataFrame({"user": rng.integers(n_listeners, size=n_plays), "track": rng.zipf(1.3, n_plays) % n_tracks})
    plays = (
        drawn.group_by("user", "track")
        .agg(n_plays=pl.len().cast(pl.Int64))
        .select(
            pl.format("u{}", "user").alias("user_id"),
            pl.format("t{}", "track").alias("track_id"),
            pl.when(pl.col("user") % 2 == 0).then(pl.lit("DE")).otherwise(pl.lit("GB")).alias("territory"),
            "n_plays",
        )
    )
    tracks = pl.int_range(n_tracks, eager=True).alias("track").to_frame()
    work = pl.format("w{}", "track").alias("work_key")
    owners = pl.concat(
        tracks.select(
            work,
            territory=pl.lit("WW"),
            owner=pl.format("o{}", (pl.col("track") + part) % 5_000),
            weight=pl.lit(5_000, pl.Int64),
        )
        for part in (0, 1)
    )
    return Registry(plays, tracks.select(pl.format("t{}", "track").alias("track_id"), work), owners)


if __name__ == "__main__":
    main()
