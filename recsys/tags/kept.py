"""
What a training leaves for the nightly run: its labels and settings, and the recordings that it predicted.

They are files beside the model card, in `<home>/tags/<kind>`. Each nightly run learns from them again
(`learn.new_tags`) while there are recordings that the training did not know: a head itself is not kept, since what its
inputs mean (axes of words and listening, frequent values) follows the catalogue.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from recsys import files
from recsys.columns import Column
from recsys.home import Home
from recsys.lake.store import Lake

TRACK_TAGS_COLUMNS = (
    Column("track_id", pl.String()),
    Column("tagger", pl.String()),
    Column("tag", pl.String()),
    Column("kind", pl.String()),
    Column("confidence", pl.Float64()),
    Column("probability", pl.Float64()),
)
LABELS, KNOWN, SETTINGS = "labels.parquet", "known.parquet", "training.json"


@dataclass(frozen=True, eq=False)
class Training:
    """
    A training of one kind.

    Attributes:
        labels: track_id, kind and tag of each label.
        known: Recordings that it predicted.
        inputs: Blocks of inputs, among `inputs.BLOCKS`.
        consents: Values of `training_consent` that it was allowed to train on.
        settings: Fields of `TagSettings`.
    """

    labels: pl.DataFrame
    known: frozenset[str]
    inputs: tuple[str, ...]
    consents: tuple[str, ...]
    settings: Mapping[str, Any]


def keep(
    folder: Path,
    labels: pl.DataFrame,
    known: Iterable[str],
    *,
    inputs: Iterable[str],
    consents: Iterable[str],
    settings: Mapping[str, Any],
    batches: Iterable[str],
) -> None:
    """Write a training (see `Training`) to the folder of its kind; `batches` of the lake have its tags."""
    files.write_atomically(folder / LABELS, labels.write_parquet)
    files.write_atomically(folder / KNOWN, pl.DataFrame({"track_id": sorted(known)}).write_parquet)
    how = {"inputs": list(inputs), "consents": list(consents), "settings": dict(settings), "batches": sorted(batches)}
    files.write_json(folder / SETTINGS, how)


def trainings(home: Home) -> list[Training]:
    """Return the last training of each kind whose tags are still in the lake; none of versions that kept nothing."""
    in_lake = {batch.batch for batch in Lake(home).batches()}
    described = {path.parent: files.read_json(path) for path in sorted(home.tags.glob(f"*/{SETTINGS}"))}
    return [_read(folder, how) for folder, how in described.items() if in_lake.intersection(how["batches"])]


def _read(folder: Path, how: Mapping[str, Any]) -> Training:
    known = pl.read_parquet(folder / KNOWN)["track_id"]
    return Training(
        pl.read_parquet(folder / LABELS),
        frozenset(known),
        tuple(how["inputs"]),
        tuple(how["consents"]),
        how["settings"],
    )
