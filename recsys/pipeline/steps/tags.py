"""The step that gives recordings which joined the catalogue after a training of tags the tags of its labels."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from recsys.columns import schema
from recsys.errors import InputError
from recsys.pipeline.results import Artefact, Outcome, Result, step, write_table
from recsys.rights.trainings import TRAINED_COLUMNS
from recsys.tags.kept import TRACK_TAGS_COLUMNS, Training

if TYPE_CHECKING:
    from recsys.tags.inputs import TrackInputs


def _record(path: Path, learned_from: pl.DataFrame) -> None:
    """Write what the heads of a night learned from; no file if none was trained."""
    if not learned_from.is_empty():
        write_table(path, learned_from)


TRACK_TAGS = Result("track_tags", TRACK_TAGS_COLUMNS)
NIGHTLY_TRAININGS = Artefact(
    "nightly_trainings",
    write=_record,
    location=lambda run: run.home.trainings / f"nightly-{run.run_id}.parquet",
    lifetime="always",
)


@step(TRACK_TAGS, NIGHTLY_TRAININGS)
def tag_new_recordings(
    *,
    trainings: list[Training],
    training_inputs: "list[TrackInputs]",
    consents_now: pl.DataFrame,
    served_on: date,
    note: Callable[..., None],
) -> Outcome:
    """Learn from the labels of each kind again, where there are new recordings, predict these, and record it."""
    tags, learned_from = pl.DataFrame(schema=schema(TRACK_TAGS_COLUMNS)), pl.DataFrame(schema=schema(TRAINED_COLUMNS))
    for training, inputs in zip(trainings, training_inputs, strict=True):
        made = _tags_of(training, inputs, consents_now, served_on, note)
        tags, learned_from = pl.concat([tags, made[0]]), pl.concat([learned_from, made[1]])
    counts = {"n_recordings": tags["track_id"].n_unique(), "n_tags": tags.height}
    return Outcome({TRACK_TAGS.name: tags, NIGHTLY_TRAININGS.name: learned_from}, counts)


def _tags_of(
    training: Training,
    inputs: "TrackInputs",
    consents_now: pl.DataFrame,
    served_on: date,
    note: Callable[..., None],
) -> tuple[pl.DataFrame, pl.DataFrame]:
    from recsys.tags.learn import new_tags  # noqa: PLC0415 - a run without labels needs no torch

    try:
        return new_tags(training, inputs, consents_now, today=served_on)
    except InputError as unusable:
        note(event="warning", text=f"New recordings get no learned tags: {unusable}. Train again: recsys tags train")
        return pl.DataFrame(schema=schema(TRACK_TAGS_COLUMNS)), pl.DataFrame(schema=schema(TRAINED_COLUMNS))
