"""
The export of a run: the lists of all listeners as Parquet, CSV and JSON Lines; candidates and products as Parquet.

The Parquet file of the lists is the reference. The manifest records each file with its rows and SHA-256, and the data,
recipe and model of the run. A repeated run gives the same bytes: no time of day is written. `_SUCCESS` is written last.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

import recsys
from recsys import files
from recsys.errors import InputError, SetupError
from recsys.installation.paths import commit
from recsys.lake.store import Batch
from recsys.recipe import Recipe

SCHEMA_VERSION = 1
MANIFEST = "manifest.json"
_REMEDY = "Return to another release: recsys rollback RUN"
LIST_FILES: dict[str, Callable[[pl.DataFrame, Path], object]] = {
    "recommendations.parquet": lambda lists, path: lists.write_parquet(path, compression="zstd"),
    "recommendations.csv": pl.DataFrame.write_csv,
    "recommendations.jsonl": pl.DataFrame.write_ndjson,
}
_COUNT_LINES: dict[str, Callable[[Path], int]] = {
    ".parquet": lambda path: pl.scan_parquet(path).select(pl.len()).collect().item(),
    ".csv": lambda path: pl.scan_csv(path).select(pl.len()).collect().item(),
    ".jsonl": lambda path: sum(1 for _ in path.open("rb")),
}


@dataclass(frozen=True, eq=False)
class Export:
    """
    The content of an export.

    Attributes:
        lists: The recommendations, one row per listener and rank.
        tables: Parquet files that are copied into the export: candidates, listeners without a list, and products.
        description: The content of the manifest except the files (see `manifest`).
    """

    lists: pl.DataFrame
    tables: Sequence[Path]
    description: Mapping[str, Any]

    @property
    def n_files(self) -> int:
        """The number of files, not counting the manifest and `_SUCCESS`."""
        return len(LIST_FILES) + len(self.tables)


def write_export(folder: Path, export: Export) -> None:
    """Write the files of an export and its manifest to a new folder, and validate them."""
    for name, write in LIST_FILES.items():
        write(export.lists, folder / name)
    for path in export.tables:
        shutil.copyfile(path, folder / path.name)
    described = _described(sorted(folder.glob("*.*")))
    files.write_json(folder / MANIFEST, {"schema_version": SCHEMA_VERSION, **export.description, "files": described})
    (folder / "_SUCCESS").touch()
    validate(folder)


def _described(paths: Sequence[Path]) -> list[dict[str, Any]]:
    return [{"path": path.name, "rows": _rows(path), "sha256": files.sha256_of(path)} for path in paths]


def describe_again(folder: Path) -> None:
    """Update the manifest of an export from whose files the rows of a listener were erased, and validate it."""
    manifest: dict[str, Any] = files.read_json(folder / MANIFEST)
    lists = pl.read_parquet(folder / "recommendations.parquet")
    manifest |= _counts_of(lists, int(manifest["recipe"]["export"]["k"]))
    manifest["files"] = _described([folder / entry["path"] for entry in manifest["files"]])
    files.write_json(folder / MANIFEST, manifest)
    validate(folder)


def _counts_of(lists: pl.DataFrame, k: int) -> dict[str, int]:
    """Return the number of listeners with a list, and of lists shorter than `k`."""
    lengths = lists.group_by("user_id").len()["len"]
    return {"n_listeners": len(lengths), "n_short_lists": int((lengths < k).sum())}


def validate(folder: Path) -> dict[str, Any]:
    """
    Check that the files of an export match its manifest.

    Returns:
        The manifest.

    Raises:
        InputError: A file is missing, or its bytes or rows differ from the manifest.
        SetupError: The manifest is damaged.
    """
    if not (folder / "_SUCCESS").exists():
        raise InputError(f"{folder} has no file _SUCCESS: the export is not complete. Run: recsys nightly --resume")
    with files.reading(folder / MANIFEST, _REMEDY):
        manifest: dict[str, Any] = files.read_json(folder / MANIFEST)
        for entry in manifest["files"]:
            path = folder / entry["path"]
            found = files.sha256_of(path) if path.exists() else "no file"
            if found != entry["sha256"] or _rows(path) != entry["rows"]:
                raise InputError(
                    f"{path}: SHA-256 {found}; the manifest says {entry['rows']:,} rows, {entry['sha256']}. The file "
                    "was changed: return to another release (recsys rollback) or export again"
                )
    return manifest


def checked_file(folder: Path, name: str) -> Path | None:
    """
    Return the path of a file of an export, after comparing it with the manifest; None if the export has no such file.

    Raises:
        SetupError: The manifest or the file is missing or damaged.
    """
    if not (folder / MANIFEST).exists() and not (folder / name).exists():
        return None
    with files.reading(folder / MANIFEST, _REMEDY):
        listed = {entry["path"]: entry["sha256"] for entry in files.read_json(folder / MANIFEST)["files"]}
    if name not in listed and not (folder / name).exists():
        return None
    if files.changed_file(folder, {name: listed.get(name, "")}) is not None:
        raise SetupError(f"{folder / name} is missing or damaged. {_REMEDY}")
    return folder / name


def manifest(
    *,
    run_id: str,
    as_of: date,
    recipe: Recipe,
    batches: Sequence[Batch],
    lake_fingerprint: str,
    verdict: Mapping[str, Any],
    lists: pl.DataFrame,
    n_without_list: int,
    metrics: pl.DataFrame,
    tables: dict[str, int],
    model: Path,
) -> dict[str, Any]:
    """Return the manifest of an export, without its files: inputs, recipe, model, metrics, gate and rows per mart."""
    saved = files.read_json(model / "config.json")
    return {
        "run_id": run_id,
        "as_of": str(as_of),
        **_counts_of(lists, recipe.export.k),
        "n_without_list": n_without_list,
        "tables": tables,
        "inputs": {
            "n_batches": len(batches),
            "n_rows": sum(batch.n_accepted for batch in batches),
            "fingerprint": lake_fingerprint,
        },
        "recipe": recipe.as_dict(),
        "versions": {"recsys": recsys.__version__, "git": commit() or "unknown"},
        "model": {
            "recommender": saved["name"],
            "config": saved["config"],
            "sha256": files.sha256_of(model / "weights.npz"),
        },
        "gate": dict(verdict),
        "metrics": json.loads(metrics.write_json()),
    }


def _rows(path: Path) -> int:
    return _COUNT_LINES[path.suffix](path)
