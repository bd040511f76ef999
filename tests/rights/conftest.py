"""The demo's registry of rights of a small catalogue, built once."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.demo.rights import make_registry, registry_tables
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.plan import result_tables
from recsys.warehouse.build import Sources, build


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> tuple[set[tuple[str, str]], Path]:
    """Return the planted conflicts of a small catalogue, and a warehouse of its registry."""
    folder = tmp_path_factory.mktemp("registry")
    tracks = pl.DataFrame(
        {"track_id": [f"trk_{n:03d}" for n in range(150)], "title": [f"Song {n}" for n in range(150)]}
    )
    isrc = [f"DEA012600{min(n, 145):03d}" for n in range(150)]  # the last five recordings share one
    tracks = tracks.with_columns(isrc=pl.Series(isrc), artist_id=pl.lit("ar"))
    registry = make_registry(tracks, date(2026, 1, 31), 5, np.random.default_rng(7))
    home = Home(folder / "home")
    for table, rows in ({"tracks": tracks} | registry_tables(registry)).items():
        rows.write_ndjson(folder / f"{table}.jsonl")
    report = ingest(home, sorted(folder.glob("*.jsonl")), today=date(2026, 2, 1))
    assert (report.unreadable, sum(batch.n_quarantined for batch in report.batches)) == ([], 0)
    built = folder / "built.duckdb"
    sources = Sources(Lake(home), date(2026, 1, 31), results=result_tables())
    marts = ("rights_conflicts", "recording_conflicts", "disputed_claims", "track_features")
    build(built, sources, only=[f"marts.{mart}" for mart in marts], memory="1GB")
    truths = {(str(truth.details["kind"]), truth.id) for truth in registry.truths if truth.kind == "rights_conflict"}
    return truths, built
