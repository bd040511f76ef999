"""
The export of a run: every listener's list as Parquet (canonical), CSV and JSON Lines; candidates and products.

The manifest lists each file with its rows and SHA-256, and says what the lists were made of. The same run gives the
same bytes: there is no clock in it. `_SUCCESS` is written last.
"""

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

import recsys
from recsys import files
from recsys.errors import InputError
from recsys.installation.paths import commit
from recsys.lake.store import Lake
from recsys.recipe import Recipe

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_COUNT_LINES: dict[str, Callable[[Path], int]] = {
    ".parquet": lambda path: pl.scan_parquet(path).select(pl.len()).collect().item(),
    ".csv": lambda path: pl.scan_csv(path).select(pl.len()).collect().item(),
    ".jsonl": lambda path: sum(1 for _ in path.open("rb")),
}


def write_export(folder: Path, lists: pl.DataFrame, tables: Sequence[Path], about: dict[str, Any]) -> dict[str, Any]:
    """
    Write an export's folder, whole.

    Args:
        folder: Where.
        lists: Every listener's list.
        tables: Parquet files that go with it.
        about: What the manifest says beside the files (`manifest`).

    Returns:
        The manifest.
    """
    with files.new_folder(folder) as beside:
        lists.write_parquet(beside / "recommendations.parquet", compression="zstd")
        lists.write_csv(beside / "recommendations.csv")
        lists.write_ndjson(beside / "recommendations.jsonl")
        for path in tables:
            shutil.copyfile(path, beside / path.name)
        described = [
            {"path": path.name, "rows": _rows(path), "sha256": files.sha256_of(path)}
            for path in sorted(beside.glob("*.*"))
        ]
        whole = {"schema_version": SCHEMA_VERSION, **about, "files": described}
        files.write_json(beside / MANIFEST, whole)
        (beside / "_SUCCESS").touch()
    return whole


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


def manifest(
    *,
    run_id: str,
    as_of: date,
    recipe: Recipe,
    lake: Lake,
    lists: pl.DataFrame,
    metrics: pl.DataFrame,
    tables: dict[str, int],
    model: Path,
) -> dict[str, Any]:
    """Return what an export's manifest says of the run: inputs, recipe, model, metrics and rows of each mart."""
    batches = lake.batches()
    lengths = lists.group_by("user_id").len()["len"]
    return {
        "run_id": run_id,
        "as_of": str(as_of),
        "n_listeners": len(lengths),
        "n_short_lists": int((lengths < recipe.export.k).sum()),
        "tables": tables,
        "inputs": {
            "n_batches": len(batches),
            "n_rows": sum(batch.n_accepted for batch in batches),
            "fingerprint": lake.fingerprint(),
        },
        "recipe": recipe.as_dict(),
        "versions": {"recsys": recsys.__version__, "git": commit() or "unknown"},
        "model": {
            "recommender": recipe.recommender,
            "config": asdict(recipe.configs[recipe.recommender]),
            "sha256": files.sha256_of(model / "weights.npz"),
        },
        "metrics": json.loads(metrics.write_json()),
    }


def _rows(path: Path) -> int:
    return _COUNT_LINES[path.suffix](path)
