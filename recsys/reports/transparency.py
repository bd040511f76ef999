"""
The summary of models and their data, an HTML page for people outside.

It follows the spirit of the summaries of training data that the EU's AI Act asks of providers of general-purpose models
(Article 53), which these models are not. It has counts only: no recording, right holder or listener is named, and few
listeners are not counted. What a recording was trained for is answered by its id (`recsys transparency recording`).
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from recsys import files
from recsys.home import Home
from recsys.releases.registry import champion
from recsys.reports.html import render
from recsys.rights.trainings import MELODY, NIGHTLY, newest, trained, with_consent_now
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

LEAST_LISTENERS = 20  # fewer are not counted
PURPOSES = {
    "encoder": "turns the sound of recordings into vectors, by which similar recordings are found",
    "clusters": "groups recordings by their sound",
    MELODY: "suggests melodies, by a network trained further on the writer's own tunes",
}
OWN_TAGS = "predicts tags of recordings from labelled examples"
NIGHTLY_TAGS = "the same, learned again by the nightly run for recordings that have joined the catalogue since"


@dataclass(frozen=True)
class Model:
    """
    The newest training of a model.

    Attributes:
        name: Its name.
        purpose: What it is for.
        version, trained_on: Of the newest training.
        n_trainings: Trainings so far.
        inputs: What it reads of recordings.
        by_consent: Consent at the time of the training -> recordings.
        n_leaving: Recordings that the next training may no longer have.
    """

    name: str
    purpose: str
    version: str
    trained_on: date
    n_trainings: int
    inputs: str
    by_consent: dict[str, int]
    n_leaving: int


def models(home: Home, warehouse: Warehouse) -> list[Model]:
    """Return the models that were trained on recordings, by name."""
    rows = trained(home)
    counts = dict(rows.group_by("model").agg(pl.col("version").n_unique()).iter_rows())
    current = with_consent_now(newest(rows), warehouse)
    return [_model(name, own, counts[name]) for (name,), own in sorted(current.group_by("model"))]


def _model(name: Any, rows: pl.DataFrame, n_trainings: int) -> Model:
    first = rows.row(0, named=True)
    by_consent = rows.group_by("consent").agg(pl.col("track_id").n_unique()).sort("consent")
    return Model(
        name,
        PURPOSES.get(name, NIGHTLY_TAGS if name.endswith(NIGHTLY) else OWN_TAGS),
        first["version"],
        first["trained_on"],
        n_trainings,
        first["inputs"],
        dict(by_consent.iter_rows()),
        rows.filter(~pl.col("may_stay"))["track_id"].n_unique(),
    )


def write_summary(home: Home, warehouse: Warehouse, page: Path) -> list[Model]:
    """Write the summary to a file, and return the models in it."""
    (data,) = warehouse.query(internal_sql("transparency")).iter_rows(named=True)
    found = models(home, warehouse)
    few = data["n_listeners"] < LEAST_LISTENERS
    files.write_text(
        page,
        render(
            "transparency.html",
            models=found,
            recommender=champion(home),
            data=data,
            listeners=f"fewer than {LEAST_LISTENERS}" if few else f"{data['n_listeners']:,}",
        ),
    )
    return found
