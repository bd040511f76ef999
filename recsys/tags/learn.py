"""
Learn tags from a file of labels, and write them to the lake: what `recsys tags train` does.

For each kind, a head is trained, and its probabilities enter the raw table `audio_tags` under the name `own-<kind>`;
those of earlier trainings are taken back. Labelled recordings get the probability by which a head that did not know
their label predicts it. The doubted labels, the recordings to label next and the model card, which is written last,
are files in `<home>/tags/<kind>`. The labels of all kinds are checked before the first head is trained. Recordings that
join the catalogue later get their tags in the nightly run, from the same labels (`new_tags`).
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from recsys import files
from recsys.arrays import F64
from recsys.columns import schema
from recsys.dataset.interactions import Interactions
from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.ingest.undo import undo
from recsys.lake.store import Batch, Lake
from recsys.rights.trainings import NIGHTLY, TRAINED_COLUMNS, TrainingRecord, consents, record, training_rows
from recsys.tags.card import GROUPINGS, LIMITS, counts
from recsys.tags.doubts import DOUBTS, DOUBTS_COLUMNS, GENRE, doubts, labelling_order, usual_probabilities
from recsys.tags.head import HeadSettings
from recsys.tags.inputs import LISTENING, LYRICS, TrackInputs
from recsys.tags.kept import TRACK_TAGS_COLUMNS, Training, keep
from recsys.tags.labels import Labels, labels_of, read_labels
from recsys.tags.train import MIN_LABELLED, LearnedHead, TagSettings, TrainingData, may_train, train
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse
from recsys.warehouse.spreadsheet import csv_text

CARD, PREDICTED, NEXT = "card.json", "predicted.parquet", "label_next.csv"
N_NEXT = 100  # recordings to label next
MIN_PROBABILITY = 0.05  # of a tag that is written


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned of one kind: the head, how, all labels that were given, and the model card."""

    head: LearnedHead
    settings: TagSettings
    labels: Labels
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
        catalogue = TrackInputs.read(warehouse, listening, inputs, settings.consents)
        known = warehouse.query(internal_sql("track_ids"))["track_id"]
        consents_now = warehouse.query(internal_sql("consents_now"))
    kinds = read_labels(path, known)
    for labels in kinds:
        TrainingData.of(labels, catalogue, settings)  # raises before any work
    found = []
    for labels in kinds:
        learned = learn_kind(labels, catalogue, settings)
        training = TrainingRecord(tagger_of(labels.kind), today, tuple(catalogue.blocks), settings.consents)
        left = record(home, training, trained_recordings(labels, settings, catalogue, consents_now))
        learned = replace(learned, card=learned.card | {"n_left": left["track_id"].n_unique()})
        write(home, learned, catalogue, path, today=today)
        progress(learned)
        found.append(learned)
    return found


def trained_recordings(
    labels: Labels, settings: TagSettings, catalogue: TrackInputs, consents_now: pl.DataFrame
) -> dict[str, dict[str, str]]:
    """Return role (see `trainings.ROLES`) -> recording that was learned from -> its consent, or that of its lyrics."""
    data = TrainingData.of(labels, catalogue, settings)
    found = {"labels": consents(catalogue.facts, data.labels.tracks.ids())}
    if settings.semi:
        found["others"] = consents(catalogue.facts, data.others.tracks.ids())
    if LYRICS in catalogue.blocks:
        has_words = np.any([~np.isnan(part).all(axis=1) for part in catalogue.blocks[LYRICS]], axis=0)
        found["words"] = consents(consents_now, catalogue.tracks.ids(np.flatnonzero(has_words)), "lyrics_consent")
    return found


def learn_kind(labels: Labels, catalogue: TrackInputs, settings: TagSettings) -> Learned:
    """Train a head on the labels of a kind, with all inputs and, for the ablation, with each of them alone."""
    data = TrainingData.of(labels, catalogue, settings)
    head = train(data, settings)
    card = _card(labels, data, head, settings, catalogue)
    return Learned(head, settings, labels, card | {"ablation": ablation(data, settings)})


def ablation(data: TrainingData, settings: TagSettings) -> list[dict[str, Any]]:
    """
    Return the metrics of heads with each block of inputs alone; nothing if there is one block only.

    All are measured on the same recordings, also on those that lack the block. A block that fewer than 20 of them have
    is left out, with the reason.
    """
    names = list(data.inputs.blocks)
    return [_alone(data.with_blocks([name]), name, settings) for name in names] if len(names) > 1 else []


def _alone(data: TrainingData, name: str, settings: TagSettings) -> dict[str, Any]:
    n_described = int(data.inputs.is_described.sum())
    named = {"inputs": name, "n_described": n_described, "left_out": ""}
    if n_described < MIN_LABELLED:
        return named | {"left_out": f"{n_described} labelled recordings have it, at least {MIN_LABELLED} are needed"}
    return named | train(data, settings).held_out.metrics()


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
            **{name: counts(own, name) for name in GROUPINGS},
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
    found = head.predict(catalogue)
    found[~catalogue.is_described] = np.nan
    found[catalogue.tracks.rows(head.labels.tracks.ids())] = head.held_out.probability
    return found


def tagger_of(kind: str) -> str:
    """Return the name of the tagger of a learned kind."""
    return f"own-{kind}"


def predicted_tags(head: LearnedHead, catalogue: TrackInputs, probability: F64) -> pl.DataFrame:
    """Return rows of `audio_tags`: the tags that are shown, where their probability is at least .05."""
    track, tag = np.nonzero((np.nan_to_num(probability) >= MIN_PROBABILITY) & head.is_shown)
    values = probability[track, tag]
    return pl.DataFrame(
        {
            "track_id": catalogue.tracks.ids(track),
            "tagger": pl.repeat(tagger_of(head.labels.kind), len(track), eager=True, dtype=pl.String),
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
    """
    Return track_id, tag and probability (of the most probable tag) of 100 recordings to label, the first first.

    Recordings whose labels would not be used, for lack of consent, are not among them.
    """
    labelled = catalogue.tracks.find(learned.labels.tracks.ids())
    rows = np.setdiff1d(np.flatnonzero(may_train(catalogue, learned.settings)), labelled)
    labels = learned.head.labels
    chosen = rows[labelling_order(probability[rows], exclusive=labels.is_exclusive)[:N_NEXT]]
    best = probability[chosen].argmax(axis=1)
    tags = pl.Series([labels.names[number] for number in best], dtype=pl.String)
    values = probability[chosen, best].round(4)
    return pl.DataFrame({"track_id": catalogue.tracks.ids(chosen), "tag": tags, "probability": values})


def new_tags(
    training: Training, catalogue: TrackInputs, consents_now: pl.DataFrame, *, today: date
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Learn the labels of a training again for recordings that it did not know.

    Args:
        training: The last training of a kind.
        catalogue: The inputs of the catalogue of today, as the training reads them.
        consents_now: The result of `sql/internal/consents_now.sql`.
        today: The day of the run.

    Returns:
        Tags of those recordings (TRACK_TAGS_COLUMNS), and what the head learned from (TRAINED_COLUMNS); no rows if
        there are no such recordings, since nothing is learned then.

    Raises:
        InputError: The labels can no longer be used (see `labels_of` and `TrainingData.of`), or the training was made
            by a version with other settings.
    """
    described = set(catalogue.tracks.ids(np.flatnonzero(catalogue.is_described)))
    if described <= training.known:
        return pl.DataFrame(schema=schema(TRACK_TAGS_COLUMNS)), pl.DataFrame(schema=schema(TRAINED_COLUMNS))
    ids = catalogue.tracks.ids()
    (labels,) = labels_of(training.labels.filter(pl.col("track_id").is_in(ids.implode())), ids)
    settings = _settings_of(training)
    head = train(TrainingData.of(labels, catalogue, settings), settings)
    tags = predicted_tags(head, catalogue, catalogue_probabilities(head, catalogue))
    model = tagger_of(labels.kind) + NIGHTLY
    learned_from = training_rows(
        TrainingRecord(model, today, tuple(catalogue.blocks), settings.consents),
        trained_recordings(labels, settings, catalogue, consents_now),
    )
    return tags.filter(~pl.col("track_id").is_in(list(training.known))), learned_from


def _settings_of(training: Training) -> TagSettings:
    try:
        return TagSettings(**{**training.settings, "head": HeadSettings(**training.settings["head"])})
    except (KeyError, TypeError) as other:
        raise InputError("the training was made by a version with other settings") from other


def write(home: Home, learned: Learned, catalogue: TrackInputs, source: Path, *, today: date) -> None:
    """Write the tags, what a person should look at, and the card; tags of earlier trainings are taken back."""
    kind = learned.head.labels.kind
    folder = home.tags / kind
    probability = catalogue_probabilities(learned.head, catalogue)
    tags = predicted_tags(learned.head, catalogue, probability)
    batches = write_tags(home, tagger_of(kind), folder, tags, today=today)
    files.write_atomically(folder / DOUBTS, doubted_labels(learned.head, catalogue, probability).write_parquet)
    files.write_text(folder / NEXT, csv_text(to_label_next(learned, catalogue, probability)))
    keep(
        folder,
        learned.labels.rows(),
        catalogue.tracks.ids(np.flatnonzero(catalogue.is_described)),
        inputs=catalogue.blocks,
        consents=learned.settings.consents,
        settings=asdict(learned.settings),
        batches=batches,
    )
    files.write_json(folder / CARD, learned.card | {"labels": source.name, "trained_on": str(today)})


def write_tags(home: Home, tagger: str, folder: Path, rows: pl.DataFrame, *, today: date) -> set[str]:
    """
    Write the tags of a tagger to the lake in place of its earlier ones; return the batches that have them.

    Args:
        home: The home; the caller must hold its lock.
        tagger: The tagger of all rows.
        folder: Folder of the home that keeps the rows as they are ingested.
        rows: Rows of `audio_tags`.
        today: The day of the ingest.
    """
    take_back(home, tagger, today=today)
    earlier = {batch.batch for batch in Lake(home).batches()}
    files.write_atomically(folder / PREDICTED, rows.write_parquet)
    if not rows.is_empty():
        ingest(home, [folder / PREDICTED], today=today, table="audio_tags")
    return {batch.batch for batch in Lake(home).batches()} - earlier


def take_back(home: Home, tagger: str, *, today: date) -> None:
    """Take the tags of earlier trainings out of the lake: all files that have tags of this tagger only."""
    lake, undone = Lake(home), set[str]()
    for batch in lake.batches():
        is_own = batch.table == "audio_tags" and not batch.members and _taggers(lake, batch) == {tagger}
        if is_own and batch.batch not in undone:
            undone |= {entry.batch for entry in undo(home, batch.batch, today=today)}


def _taggers(lake: Lake, batch: Batch) -> set[str]:
    paths = [lake.folder / batch.table / f"ds={day}" / f"{batch.batch}.parquet" for day in batch.days]
    return {name for path in paths for name in pl.read_parquet(path, columns=["tagger"], glob=False)["tagger"].unique()}
