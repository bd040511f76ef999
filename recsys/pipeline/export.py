"""
The export of a run: every listener's list as Parquet (canonical), CSV and JSON Lines; candidates and products.

The manifest lists each file with its rows and SHA-256, and says what the lists were made of. The same run gives the
same bytes: there is no clock in it. `_SUCCESS` is written last.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

import recsys
from recsys import files
from recsys.errors import InputError
from recsys.installation.locations import commit
from recsys.lake.store import Lake
from recsys.pipeline.run import Run

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_COUNT_LINES: dict[str, Callable[[Path], int]] = {
    ".parquet": lambda path: pl.scan_parquet(path).select(pl.len()).collect().item(),
    ".csv": lambda path: pl.scan_csv(path).select(pl.len()).collect().item(),
    ".jsonl": lambda path: sum(1 for _ in path.open("rb")),
}


def write_export(run: Run, tables: dict[str, int]) -> dict[str, Any]:
    """
    Write the export's folder, whole.

    Args:
        run: A run with recommendations, candidates, metrics and a model.
        tables: Rows of each mart.

    Returns:
        The manifest.
    """
    lists = pl.read_parquet(run.recommendations)
    beside = run.export.with_name(f".{run.export.name}.partial")
    files.remove(beside)
    beside.mkdir(parents=True)
    lists.write_parquet(beside / "recommendations.parquet", compression="zstd")
    lists.write_csv(beside / "recommendations.csv")
    lists.write_ndjson(beside / "recommendations.jsonl")
    for path in (run.candidates, *sorted(run.products.glob("*.parquet"))):
        shutil.copyfile(path, beside / path.name)
    manifest = _manifest(run, lists, tables, beside)
    files.write_json(beside / MANIFEST, manifest)
    (beside / "_SUCCESS").touch()
    files.place_folder(beside, run.export)
    return manifest


def validate(folder: Path) -> dict[str, Any]:
    """
    Hold an export against its own manifest.

    Returns:
        The manifest.

    Raises:
        InputError: A file is missing, or has other bytes or rows than the manifest says.
    """
    if not (folder / "_SUCCESS").exists():
        raise InputError(f"{folder} has no _SUCCESS: the export is not whole. Run: recsys nightly --resume")
    manifest: dict[str, Any] = files.read_json(folder / MANIFEST)
    for entry in manifest["files"]:
        path = folder / entry["path"]
        found = (_rows(path), files.sha256_of(path)) if path.exists() else (0, "no file")
        if found != (entry["rows"], entry["sha256"]):
            raise InputError(
                f"{path}: {found[0]:,} rows, SHA-256 {found[1]}; the manifest says {entry['rows']:,} rows, "
                f"{entry['sha256']}. Somebody changed it: take an earlier release (recsys rollback) or export again"
            )
    return manifest


def _manifest(run: Run, lists: pl.DataFrame, tables: dict[str, int], folder: Path) -> dict[str, Any]:
    batches = Lake(run.home).batches()
    lengths = lists.group_by("user_id").len()["len"]
    return {
        "schema_version": SCHEMA_VERSION,
        "run_id": run.run_id,
        "as_of": str(run.as_of),
        "files": [
            {"path": path.name, "rows": _rows(path), "sha256": files.sha256_of(path)}
            for path in sorted(folder.glob("*.*"))
        ],
        "n_listeners": len(lengths),
        "n_short_lists": int((lengths < run.recipe.export.k).sum()),
        "tables": tables,
        "inputs": {
            "n_batches": len(batches),
            "n_rows": sum(batch.n_accepted for batch in batches),
            "fingerprint": Lake(run.home).fingerprint(),
        },
        "recipe": run.recipe.as_dict(),
        "versions": {"recsys": recsys.__version__, "git": commit() or "unknown"},
        "model": {
            "recommender": run.recipe.recommender,
            "config": asdict(run.recipe.configs[run.recipe.recommender]),
            "sha256": files.sha256_of(run.model / "weights.npz"),
        },
        "metrics": json.loads(pl.read_parquet(run.metrics).write_json()),
    }


def _rows(path: Path) -> int:
    return _COUNT_LINES[path.suffix](path)
