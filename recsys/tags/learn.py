"""
Learn tags from a file of labels, and write them to the lake: what `recsys tags train` does.

For each kind, a head is trained, and its probabilities enter the raw table `audio_tags` under the name `own-<kind>`;
those of an earlier training are taken back. Labelled recordings get the probability by which a head that did not know
their label predicts it. The model card, the doubted labels and the recordings to label next are files in
`<home>/tags/<kind>`.
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsys import files
from recsys.arrays import F64
from recsys.columns import schema
from recsys.dataset.interactions import Interactions
from recsys.dataset.vocab import Vocab
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.ingest.undo import undo
from recsys.lake.store import Lake
from recsys.tags.card import LIMITS, counts
from recsys.tags.doubts import DOUBTS, DOUBTS_COLUMNS, GENRE, doubts, labelling_order, usual_probabilities
from recsys.tags.inputs import LISTENING, TrackInputs
from recsys.tags.labels import Labels, read_labels
from recsys.tags.train import LearnedHead, TagSettings, TrainingData, train
from recsys.warehouse.query import Warehouse

CARD, PREDICTED, NEXT = "card.json", "predicted.parquet", "label_next.csv"
N_NEXT = 100  # recordings to label next
MIN_PROBABILITY = 0.05  # of a tag that is written


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned of one kind: the head, the recordings that were labelled, and the model card."""

    head: LearnedHead
    labelled: Vocab
    card: dict[str, Any]


def learn(
    home: Home,
    path: Path,
    inputs: Sequence[str],
    settings: TagSettings,
    *,
    today: date,
    progress: Callable[[Learned], None] = lambda _learned: None,
) -> list[Learned]:
    """
    Train a head per kind of a file of labels, and write its tags to the lake.

    Args:
        home: The home; the caller must hold its lock.
        path: The file of labels (see `labels.read_labels`).
        inputs: Blocks of inputs, among `inputs.BLOCKS`.
        settings: How heads are trained.
        today: The day of the ingest.
        progress: Called with each finished kind.

    Raises:
        InputError: The labels cannot be used (see `read_labels` and `TrainingData.of`).
        UnknownIds: A labelled recording is not in the catalogue.
        SetupError: The home has no published warehouse.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        listening = Interactions.read(warehouse, until=today) if LISTENING in inputs else None
        catalogue = TrackInputs.read(warehouse, listening, inputs)
    found = []
    for labels in read_labels(path, catalogue.tracks.ids()):
        learned = learn_kind(labels, catalogue, settings)
        write(home, learned, catalogue, path, today=today)
        progress(learned)
        found.append(learned)
    return found


def learn_kind(labels: Labels, catalogue: TrackInputs, settings: TagSettings) -> Learned:
    """Train a head on the labels of a kind, with all inputs and, for the ablation, without each of them."""
    data = TrainingData.of(labels, catalogue, settings)
    head = train(data, settings)
    card = _card(labels, data, head, settings, catalogue)
    return Learned(head, labels.tracks, card | {"ablation": ablation(labels, catalogue, settings)})


def ablation(labels: Labels, catalogue: TrackInputs, settings: TagSettings) -> list[dict[str, Any]]:
    """Return the metrics of heads with each block of inputs alone; nothing if there is one block only."""
    if len(catalogue.blocks) == 1:
        return []
    found = []
    for name in catalogue.blocks:
        part = catalogue.with_blocks([name])
        if not part.is_described.any():
            continue
        data = TrainingData.of(labels, part, settings)
        found.append({"inputs": name} | train(data, settings).held_out.metrics())
    return found


def _card(
    labels: Labels, data: TrainingData, head: LearnedHead, settings: TagSettings, catalogue: TrackInputs
) -> dict[str, Any]:
    own = catalogue.facts.filter(pl.col("track_id").is_in(labels.tracks.ids().implode()))
    return {
        "kind": labels.kind,
        "inputs": list(catalogue.blocks),
        "settings": asdict(settings),
        "data": {
            "n_labelled": len(labels.tracks),
            "n_trained": len(data.labels.tracks),
            "n_unlabelled_used": len(data.others.tracks) if settings.semi else 0,
            "consent": counts(own, "training_consent"),
            "genre": counts(own, "genre"),
            "language": counts(own, "language"),
            "licence": "unknown: the labels and recordings of this installation",
        },
        "split": "five folds, all recordings of an artist in one; every metric is of held-out recordings",
        "temperature": head.temperature,
        "metrics": head.held_out.metrics(),
        "tags": {name: asdict(tag) for name, tag in zip(head.labels.names, head.calibration, strict=True)},
        "limits": LIMITS,
    }


def catalogue_probabilities(head: LearnedHead, catalogue: TrackInputs) -> F64:
    """
    Return the probabilities of the whole catalogue, shape (n_tracks, n_tags); NaN for recordings without inputs.

    Labelled recordings get the prediction of a head that was not trained on them.
    """
    found = np.full((len(catalogue.tracks), len(head.labels.names)), np.nan)
    rows = np.flatnonzero(catalogue.is_described)
    found[rows] = head.predict(catalogue.of_rows(rows))
    found[catalogue.tracks.rows(head.labels.tracks.ids())] = head.held_out.probability
    return found


def predicted_tags(head: LearnedHead, catalogue: TrackInputs, probability: F64) -> pl.DataFrame:
    """Return rows of `audio_tags`: the tags that are shown, where their probability is at least .05."""
    track, tag = np.nonzero((np.nan_to_num(probability) >= MIN_PROBABILITY) & head.is_shown)
    values = probability[track, tag]
    return pl.DataFrame(
        {
            "track_id": catalogue.tracks.ids(track),
            "tagger": pl.repeat(f"own-{head.labels.kind}", len(track), eager=True, dtype=pl.String),
            "tag": pl.Series([head.labels.names[number] for number in tag], dtype=pl.String),
            "kind": pl.repeat(head.labels.kind, len(track), eager=True, dtype=pl.String),
            "confidence": values,
            "probability": values,
        }
    )


def doubted_labels(head: LearnedHead, catalogue: TrackInputs, probability: F64) -> pl.DataFrame:
    """Return the delivered genres that are probably wrong (DOUBTS_COLUMNS); only a head of genres has any."""
    labels = head.labels
    if labels.kind != GENRE or not labels.is_exclusive:
        return pl.DataFrame(schema=schema(DOUBTS_COLUMNS))
    usual = np.where(head.is_shown, usual_probabilities(head.held_out.probability, labels.has_tag), np.inf)
    rows = np.flatnonzero(~np.isnan(probability).any(axis=1))
    given = catalogue.facts["genre"].str.to_lowercase()[rows]
    return doubts(catalogue.tracks.ids(rows), given, labels.names, probability[rows], usual)


def to_label_next(learned: Learned, catalogue: TrackInputs, probability: F64) -> pl.DataFrame:
    """Return track_id, tag and probability (of the most probable tag) of 100 recordings to label, the first first."""
    labelled = catalogue.tracks.rows(learned.labelled.ids())
    rows = np.setdiff1d(np.flatnonzero(~np.isnan(probability[:, 0])), labelled)
    labels = learned.head.labels
    chosen = rows[labelling_order(probability[rows], exclusive=labels.is_exclusive)[:N_NEXT]]
    best = probability[chosen].argmax(axis=1)
    tags = pl.Series([labels.names[number] for number in best], dtype=pl.String)
    values = probability[chosen, best].round(4)
    return pl.DataFrame({"track_id": catalogue.tracks.ids(chosen), "tag": tags, "probability": values})


def write(home: Home, learned: Learned, catalogue: TrackInputs, source: Path, *, today: date) -> None:
    """Write the card, what a person should look at, and the tags; those of an earlier training are taken back."""
    folder = home.tags / learned.head.labels.kind
    probability = catalogue_probabilities(learned.head, catalogue)
    files.write_json(folder / CARD, learned.card | {"labels": source.name, "trained_on": str(today)})
    files.write_atomically(folder / DOUBTS, doubted_labels(learned.head, catalogue, probability).write_parquet)
    files.write_atomically(folder / NEXT, to_label_next(learned, catalogue, probability).write_csv)
    take_back(home, folder / PREDICTED, today=today)
    rows = predicted_tags(learned.head, catalogue, probability)
    if not rows.is_empty():
        files.write_atomically(folder / PREDICTED, rows.write_parquet)
        ingest(home, [folder / PREDICTED], today=today, table="audio_tags")


def take_back(home: Home, path: Path, *, today: date) -> None:
    """Take the tags of an earlier training out of the lake, and remove their file."""
    if path.exists():
        source = files.sha256_of(path)
        for batch in Lake(home).batches():
            if batch.source_sha256 == source:
                undo(home, batch.batch, today=today)
        path.unlink()
