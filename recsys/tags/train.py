"""
Train a head on the labels of one kind.

The labelled recordings are cut into five folds, all recordings of an artist in one. Each fold is predicted by a head
that was trained on the others; these held-out predictions give the temperature, the metrics of the model card, the tags
whose calibration fails, and the labels that are probably wrong. To measure the calibrated probabilities of a fold, its
temperature is fitted on the held-out scores of the other folds, by heads that have seen this fold. The head that
predicts other recordings is trained on all labelled ones; it is not stored.

Heads that hear the sound are trained on recordings whose consent is granted (or unknown, if allowed), never on denied
ones; those that only read metadata and listening may use all. Lyrics have a consent of their own: those without are
missing inputs, in training and after it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl

from recsys.arrays import F32, F64, I64, Bool, Rows
from recsys.errors import InputError
from recsys.tags.artist_axes import ArtistAxes
from recsys.tags.calibration import TagCalibration, probabilities, tag_calibration, temperature
from recsys.tags.card import HeldOut
from recsys.tags.encoding import Encoding
from recsys.tags.folds import artist_folds, groups_of
from recsys.tags.head import Examples, Head, HeadSettings, fit, scores
from recsys.tags.inputs import SOUND, TrackInputs
from recsys.tags.labels import MIN_TAGS, Labels
from recsys.tags.propagation import guess, neighbour_graph, principal_components

MIN_LABELLED = 20  # recordings with labels and inputs
FEW, FEW_DROPOUT = 500, 0.5  # with fewer labelled recordings, more units are dropped
GUESSED_SHARE = 4.0  # weight of all guessed labels, compared with that of all given ones, at most
MAX_OTHERS = 20_000  # recordings without labels: their graph takes time in the square of their number
CHUNK = 16_384  # recordings that are encoded and predicted at once
SEED = 7


@dataclass(frozen=True)
class TagSettings:
    """
    How heads are trained.

    Attributes:
        semi: Whether recordings without labels get guessed ones (`recsys.tags.propagation`), with less weight, and
            teach which inputs are alike for an artist (`recsys.tags.artist_axes`).
        with_unknown: Whether to train on sound and lyrics whose consent is unknown too.
        head: The network.
    """

    semi: bool = False
    with_unknown: bool = False
    head: HeadSettings = field(default_factory=HeadSettings)

    @property
    def consents(self) -> tuple[str, ...]:
        """Values of `training_consent` that allow training."""
        return ("granted", "unknown") if self.with_unknown else ("granted",)


@dataclass(frozen=True, eq=False)
class LearnedHead:
    """
    A trained head with what was measured on held-out recordings.

    Attributes:
        labels: The labels that it was trained on.
        encoding: Encoding of its inputs.
        head: The network.
        temperature: Temperature of its scores.
        calibration: Calibration of each tag, in the order of `labels.names`.
        held_out: Predictions for the labelled recordings by heads that were trained on other artists.
    """

    labels: Labels
    encoding: Encoding
    head: Head
    temperature: float
    calibration: tuple[TagCalibration, ...]
    held_out: HeldOut

    @property
    def is_shown(self) -> Bool:
        """Which tags are shown. Shape (n_tags,)."""
        return np.array([tag.is_shown for tag in self.calibration])

    def predict(self, inputs: TrackInputs) -> F64:
        """Return calibrated probabilities of all tags, shape (n_tracks, n_tags); recordings are encoded in chunks."""
        exclusive = self.labels.is_exclusive
        found = np.zeros((len(inputs.tracks), len(self.labels.names)))
        for start in range(0, len(found), CHUNK):
            rows = np.arange(start, min(start + CHUNK, len(found)))
            found[rows] = scores(self.head, self.encoding.encode(inputs.of_rows(rows)), exclusive=exclusive)
        return probabilities(found, self.temperature, exclusive=exclusive)


@dataclass(frozen=True, eq=False)
class TrainingData:
    """
    Labels with the inputs of their recordings.

    Attributes:
        labels: The labels of the recordings that may be trained on.
        inputs: Their inputs, in the same order.
        others: Inputs of recordings without labels that may be trained on, at most 20,000 drawn at random.
    """

    labels: Labels
    inputs: TrackInputs
    others: TrackInputs

    @classmethod
    def of(cls, labels: Labels, inputs: TrackInputs, settings: TagSettings) -> "TrainingData":
        """
        Align labels with inputs.

        Raises:
            InputError: Fewer than 20 labelled recordings may be trained on and have inputs, or fewer than two tags, or
                of one artist only.
        """
        allowed = may_train(inputs, settings)
        rows = inputs.tracks.find(labels.tracks.ids())
        kept = (rows >= 0) & allowed[rows]
        chosen = labels.of_tracks(kept)
        if kept.sum() < MIN_LABELLED or len(chosen.names) < MIN_TAGS:
            raise InputError(
                f"labels of the kind {labels.kind}: found {kept.sum()} recordings with {len(chosen.names)} tags that "
                f"have inputs and may be trained on, of {len(kept)} labelled ones; expected at least "
                f"{MIN_LABELLED} with {MIN_TAGS} tags. Label more, scan their audio, or deliver their training_consent"
            )
        own = inputs.of_rows(rows[kept])
        if groups_of(own.facts["artist_id"]).max() == 0:
            raise InputError("labels: found recordings of one artist only, expected several. Label other artists too")
        return cls(chosen, own, inputs.of_rows(_others(allowed, rows[kept])))

    def with_blocks(self, names: Sequence[str]) -> "TrainingData":
        """Return the same recordings with some blocks only, which may be missing for some of them."""
        return TrainingData(self.labels, self.inputs.with_blocks(names), self.others.with_blocks(names))

    def without_others_by(self, artists: pl.Series) -> "TrainingData":
        """Return the same labelled recordings, and those without labels that are not by these artists."""
        is_by_them = self.others.facts["artist_id"].is_in(artists.drop_nulls().implode()).fill_null(value=False)
        return replace(self, others=self.others.of_rows(np.flatnonzero(~is_by_them.to_numpy())))


def may_train(inputs: TrackInputs, settings: TagSettings) -> Bool:
    """Return which recordings may be trained on: with inputs and, if these have sound, with consent. (n_tracks,)."""
    if SOUND not in inputs.blocks:
        return inputs.is_described
    has_consent: Bool = inputs.facts["training_consent"].is_in(settings.consents).to_numpy()
    return inputs.is_described & has_consent


def _others(allowed: Bool, labelled: Rows) -> Rows:
    """Return the sorted rows of recordings without labels, a random sample of them if there are many."""
    others = np.setdiff1d(np.flatnonzero(allowed), labelled)
    if len(others) > MAX_OTHERS:
        others = np.sort(np.random.default_rng(SEED).choice(others, MAX_OTHERS, replace=False))
    return others


def train(data: TrainingData, settings: TagSettings = TagSettings()) -> LearnedHead:
    """Train, calibrate and measure a head."""
    labels, exclusive = data.labels, data.labels.is_exclusive
    folds = artist_folds(data.inputs.facts["artist_id"])
    held_out = cross_fit(data, folds, settings)
    probability = calibrated_across(held_out, labels.has_tag, folds, exclusive=exclusive)
    rng = np.random.default_rng(SEED)
    encoding, head = fit_head(data, np.arange(len(labels.tracks)), settings)
    return LearnedHead(
        labels=labels,
        encoding=encoding,
        head=head,
        temperature=temperature(held_out, labels.has_tag, exclusive=exclusive),
        calibration=tuple(
            tag_calibration(own, has_tag, rng) for own, has_tag in zip(probability.T, labels.has_tag.T, strict=True)
        ),
        held_out=HeldOut(probability, labels.has_tag, exclusive, data.inputs.facts),
    )


def cross_fit(data: TrainingData, folds: I64, settings: TagSettings) -> F64:
    """
    Return the scores of each labelled recording by a head that was trained on the other folds, (n, n_tags).

    Recordings without labels by the artists of a fold are not used for its head either.
    """
    found = np.zeros(data.labels.has_tag.shape)
    for fold in np.unique(folds):
        rows, own = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        encoding, head = fit_head(data.without_others_by(data.inputs.facts["artist_id"][own]), rows, settings)
        encoded = encoding.encode(data.inputs.of_rows(own))
        found[own] = scores(head, encoded, exclusive=data.labels.is_exclusive)
    return found


def calibrated_across(held_out: F64, has_tag: F32, folds: I64, *, exclusive: bool) -> F64:
    """Return calibrated probabilities; the temperature of each fold is fitted on the other folds. Shape (n, n_tags)."""
    found = np.zeros(held_out.shape)
    for fold in np.unique(folds):
        own = folds == fold
        fitted = temperature(held_out[~own], has_tag[~own], exclusive=exclusive)
        found[own] = probabilities(held_out[own], fitted, exclusive=exclusive)
    return found


def fit_head(data: TrainingData, rows: I64, settings: TagSettings) -> tuple[Encoding, Head]:
    """Fit encoding and head to some of the labelled recordings, and to recordings without labels if `semi`."""
    inputs, targets = data.inputs.of_rows(rows), data.labels.has_tag[rows]
    exclusive = data.labels.is_exclusive
    head = settings.head if len(rows) >= FEW else replace(settings.head, dropout=FEW_DROPOUT)
    if settings.semi and len(data.others.tracks):
        encoding = _encoding_with_axes(inputs, data.others)
        examples = with_guesses(encoding, inputs, targets, data.others, exclusive=exclusive)
    else:
        encoding = Encoding.of(inputs)
        examples = Examples(encoding.encode(inputs), targets, np.ones(len(rows), np.float32), exclusive)
    return encoding, fit(examples, head)


def _encoding_with_axes(inputs: TrackInputs, others: TrackInputs) -> Encoding:
    """Return the encoding of all recordings, with the axes along which those of an artist are alike."""
    encoding = Encoding.of(inputs, others)
    encoded = np.concatenate([encoding.encode(inputs), encoding.encode(others)])
    return replace(encoding, axes=ArtistAxes.of(encoded, _artists(inputs, others)))


def _artists(inputs: TrackInputs, others: TrackInputs) -> I64:
    return groups_of(pl.concat([inputs.facts["artist_id"], others.facts["artist_id"]]))


def with_guesses(
    encoding: Encoding, inputs: TrackInputs, targets: F32, others: TrackInputs, *, exclusive: bool
) -> Examples:
    """
    Add recordings without labels, with labels spread from the others.

    Labels spread between recordings of an artist, and between neighbours by the axes of artists or, if there are none,
    by principal components.

    Args:
        encoding: Encoding of the inputs.
        inputs: Inputs of the labelled recordings.
        targets: Their tags. Shape (n, n_tags).
        others: Inputs of the others.
        exclusive: Whether tags exclude each other.

    Returns:
        The labelled recordings, then the others. A guess weighs as much as it is certain, 0..1; given labels weigh more
        where there are few, so that guesses weigh at most four times as much in total.
    """
    together = np.concatenate([encoding.encode(inputs), encoding.encode(others)])
    n_axes = 0 if encoding.axes is None else encoding.axes.axes.shape[1]
    points = together[:, -n_axes:] if n_axes else principal_components(together)
    graph = neighbour_graph(points, _artists(inputs, others))
    is_labelled = np.arange(len(together)) < len(targets)
    given = np.concatenate([targets, np.zeros((len(others.tracks), targets.shape[1]), np.float32)])
    guessed, certainty = guess(graph, given, is_labelled, exclusive=exclusive)
    weights = np.where(is_labelled, 0, certainty)
    weights[is_labelled] = max(1.0, weights.sum() / GUESSED_SHARE / len(targets))
    mixed = np.where(is_labelled[:, None], given, guessed)
    return Examples(together, mixed.astype(np.float32), weights.astype(np.float32), exclusive)
