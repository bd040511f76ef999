"""
Which recordings each model of this home was trained on, and with which consent at that time.

Every training of tags, clusters, an encoder or a melody model leaves a file in `<home>/trainings`, with a row per
recording and role (of a melody model per tune); a nightly run that learns tags again for new recordings leaves one
under the name of the model and NIGHTLY. It is never changed: a consent that is withdrawn takes effect at the next
training; until then the newest training of a model says what it was. Recommenders learn from listening and are made
anew each night; they have no rows here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from recsys import files
from recsys.columns import Column, schema
from recsys.errors import UnknownIds
from recsys.home import Home
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

if TYPE_CHECKING:
    from recsys.audio.training.train import ModelCard, TrainingTrack

TRAINED_COLUMNS = (
    Column("model", pl.String()),
    Column("version", pl.String()),
    Column("trained_on", pl.Date()),
    Column("inputs", pl.String()),
    Column("allowed_consents", pl.String()),
    Column("track_id", pl.String()),
    Column("role", pl.String()),
    Column("consent", pl.String()),
)
ROLES = {
    "sound": "its sound was learned from",
    "labels": "its label was learned from, with the inputs named",
    "others": "it was learned from without a label",
    "words": "its lyrics were learned from",
    "notes": "its notes were learned from; the writer stated the consent",
}
NIGHTLY = "-nightly"  # after the name of a model of tags: its heads that nightly runs learn for new recordings
MELODY = "melody"  # name of the melody model of `recsys compose`
_LISTED = " + "


class TrainingRecord(NamedTuple):
    """
    What is recorded of a training besides its recordings.

    Attributes:
        model: Name of the model, the same for each of its trainings.
        trained_on: Day of the training.
        inputs: What it read of recordings: sound, metadata, lyrics, listening.
        allowed_consents: Values of `training_consent` that it was allowed to train on.
    """

    model: str
    trained_on: date
    inputs: tuple[str, ...]
    allowed_consents: tuple[str, ...]


def record(home: Home, training: TrainingRecord, recordings: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """
    Record a training, and return the recordings of the model's last one that it no longer has.

    Args:
        home: The home; the caller must hold its lock.
        training: What was trained.
        recordings: Role (of ROLES) -> recording -> its consent at that time.

    Returns:
        TRAINED_COLUMNS as the training before had them, without recordings of this one.
    """
    made = training_rows(training, recordings)
    before = newest(trained(home)).filter(model=training.model)
    name = f"{training.model}-{training.trained_on}-{_version(training, recordings)}.parquet"
    files.write_atomically(home.trainings / name, made.write_parquet)
    return before.join(made, on="track_id", how="anti")


def training_rows(training: TrainingRecord, recordings: Mapping[str, Mapping[str, str]]) -> pl.DataFrame:
    """Return TRAINED_COLUMNS of a training; the arguments are those of `record`."""
    stated = {
        "model": training.model,
        "version": _version(training, recordings),
        "trained_on": training.trained_on,
        "inputs": _LISTED.join(training.inputs),
        "allowed_consents": _LISTED.join(training.allowed_consents),
    }
    return pl.DataFrame(
        [stated | dict(zip(("track_id", "role", "consent"), row, strict=True)) for row in _rows_of(recordings)],
        schema(TRAINED_COLUMNS),
    )


def _version(training: TrainingRecord, recordings: Mapping[str, Mapping[str, str]]) -> str:
    return sha256(repr((training, _rows_of(recordings))).encode()).hexdigest()[:8]


def _rows_of(recordings: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str, str]]:
    return [(track_id, role, consent) for role, own in recordings.items() for track_id, consent in sorted(own.items())]


def trained(home: Home) -> pl.DataFrame:
    """Return the rows of all trainings (TRAINED_COLUMNS), the oldest first; equal trainings of two files once."""
    paths = sorted(home.trainings.glob("*.parquet"), key=lambda path: (path.stat().st_mtime_ns, path.name))
    rows = pl.concat([pl.DataFrame(schema=schema(TRAINED_COLUMNS)), *(pl.read_parquet(path) for path in paths)])
    return rows.sort("trained_on", maintain_order=True).unique(keep="last", maintain_order=True)


def newest(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Return the rows of each model's newest training, of rows in the order of `trained`.

    What a nightly run learned is replaced by a later training of its model of tags as well.
    """
    last = rows.with_row_index("place").group_by("model").agg(pl.col("version", "place").last())
    of_models = last.select(own="model", replaced_at="place")
    replaceable = last.with_columns(own=pl.col("model").str.strip_suffix(NIGHTLY))
    current = replaceable.join(of_models, on="own", how="left").filter(
        pl.col("place") >= pl.col("replaced_at").fill_null(0)
    )
    return rows.join(current, on=["model", "version"], how="semi", maintain_order="left")


def with_consent_now(rows: pl.DataFrame, warehouse: Warehouse) -> pl.DataFrame:
    """
    Add `consent_now` and `may_stay`: whether the next training may have the recording in that role.

    A recording that the catalogue no longer has, or that is taken down, may not stay. A tune of the role `notes` is
    none of the catalogue's and stays with the consent that its writer stated. Roles whose consent
    is not asked for (labels and metadata without sound) stay whatever the consent is.
    """
    now = warehouse.query(internal_sql("consents_now"))
    known = rows.join(now, on="track_id", how="left", maintain_order="left")
    consent = pl.when(role="words").then("lyrics_consent").otherwise("recording_consent").fill_null("unknown")
    is_asked = (pl.col("role") == "words") | pl.col("inputs").str.split(_LISTED).list.contains("sound")
    is_stated = pl.col("role") == "notes"
    consent = pl.when(is_stated).then("consent").otherwise(consent)
    is_allowed = pl.col("allowed_consents").str.split(_LISTED).list.contains(pl.col("consent_now")) | ~is_asked
    return (
        known.with_columns(consent_now=consent, may_stay=pl.col("is_in_catalogue").fill_null(value=False))
        .with_columns(may_stay=is_stated | (is_allowed & pl.col("may_stay")))
        .select(*rows.columns, "consent_now", "may_stay")
    )


def of_recording(home: Home, warehouse: Warehouse, track_id: str) -> pl.DataFrame:
    """
    Return the trainings that had a recording, the newest first.

    Returns:
        model, version, trained_on, role, consent (at that time), consent_now and `leaves`: what happens at the
        next training.

    Raises:
        UnknownIds: Neither the warehouse nor any training has the recording.
    """
    rows = trained(home)
    known = warehouse.query(internal_sql("track_ids"))["track_id"]
    if track_id not in known and track_id not in rows["track_id"]:
        raise UnknownIds.of("track", [track_id], known, "the warehouse and no training")
    own = with_consent_now(rows.filter(track_id=track_id), warehouse)
    versions = newest(rows).select("model", "version").unique().with_columns(is_newest=True)
    marked = own.join(versions, on=["model", "version"], how="left", maintain_order="left")
    leaves = (
        pl.when(pl.col("is_newest").is_null())
        .then(pl.lit("replaced by a later training"))
        .when("may_stay")
        .then(pl.lit("stays, unless its consent changes"))
        .otherwise(pl.lit("leaves at the next training"))
    )
    shown = ("model", "version", "trained_on", "role", "consent", "consent_now", "leaves")
    return marked.with_columns(leaves=leaves).select(shown).reverse()


def record_encoder(home: Home, card: "ModelCard", tracks: "Sequence[TrainingTrack]", *, today: date) -> pl.DataFrame:
    """
    Record the training of an encoder on files that are named by recording or ISRC, and return those that left it.

    Args:
        home: The home; the caller must hold its lock.
        card: The model card; files that it counts as unreadable are recorded all the same.
        tracks: The files that it was given, with the consent at that time.
        today: The day of the training.
    """
    with Warehouse.open(home.published_warehouse()) as warehouse:
        coded = warehouse.query(internal_sql("consents_now")).drop_nulls("isrc").unique("isrc", keep="none")
    by_isrc = dict(coded.select("isrc", "track_id").iter_rows())
    allowed = ("granted", "unknown") if card.settings["with_unknown"] else ("granted",)
    given = {by_isrc.get(track.path.stem, track.path.stem): track.consent for track in tracks}
    sound = {track_id: consent for track_id, consent in given.items() if consent in allowed}
    return record(home, TrainingRecord("encoder", today, ("sound",), allowed), {"sound": sound})


def record_melody_model(home: Home, tunes: Iterable[str], *, today: date) -> pl.DataFrame:
    """
    Record the training of the melody model on a writer's tunes, and return those of the last one that left it.

    Args:
        home: The home; the caller must hold its lock.
        tunes: Names of the tunes, to all of which the writer consents.
        today: The day of the training.
    """
    given = dict.fromkeys((f"tune:{name}" for name in tunes), "granted")
    return record(home, TrainingRecord(MELODY, today, ("notes",), ("granted",)), {"notes": given})


def consents(facts: pl.DataFrame, track_ids: Iterable[str], column: str = "training_consent") -> dict[str, str]:
    """Return the consent of recordings from facts with track_id and that column; unknown where it states none."""
    known = dict(facts.select("track_id", pl.col(column).fill_null("unknown")).iter_rows())
    return {track_id: known.get(track_id, "unknown") for track_id in track_ids}
