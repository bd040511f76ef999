"""
Learned tags: accuracy and calibration, few labels, and wrong labels.

Instruments: macro PR-AUC of the shipped head on rendered pieces with other tunes and programs, against the same head on
MFCC statistics.
Genre from features: macro F1 of the head against gradient boosting with its defaults on the same artists, and the
calibration error of each recording's most probable genre. Few labels: macro F1 with 5, 10 and 50 labels per class, with
and without recordings without labels. Wrong labels: of the first n recordings in the order of review, the share whose
label was changed at random, n being the number of changed labels; and how fast labels help when the next recordings to
label are the least certain ones. Intervals are over artists (genres), seeds (few labels) or recordings.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from bench.options import audio_folder, benchmark, data_folder, size
from recsys.arrays import F32, F64, I64

if TYPE_CHECKING:
    from bench.tags.instruments import Rendered
    from recsys.tags.head import HeadSettings
    from recsys.tags.inputs import TrackInputs
    from recsys.tags.train import TrainingData

SEED, N_DRAWS = 7, 1_000
WRONG_SHARE = 0.1


@benchmark(headline=r"difference: (-?\d+\.\d) points")
@size("--tracks", "n_tracks", default=30_000, smallest=400, help="Tracks with features, at most.")
@size(
    "--pieces", "n_pieces", default=1_200, smallest=12, help="Rendered pieces to learn from; half as many for the test."
)
@size("--draws", "n_draws", default=1_000, smallest=20, help="Draws of an interval over artists or tunes.")
@size("--members", default=4, smallest=1, help="Networks of a head.")
@size("--epochs", default=20, smallest=2, help="Passes over the recordings that a head learns from.")
@size("--steps", "min_steps", default=200, smallest=10, help="Least number of steps of a head.")
@size("--seeds", "n_seeds", default=10, smallest=1, help="Draws of the few labels.")
@size("--labels", "n_labels", multiple=True, type=int, default=(5, 10, 50), smallest=(5,), help="Labels per class.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps the vectors of rendered pieces.")
def main(
    n_tracks: int,
    n_pieces: int,
    n_seeds: int,
    n_labels: tuple[int, ...],
    n_draws: int,
    cache: Path | None,
    **of_head: int,
) -> None:
    """Print all tables."""
    import torch

    from recsys.tags.head import HeadSettings

    data_folder(), audio_folder()  # raise before any work
    torch.set_num_threads(1)
    head = HeadSettings(**of_head)
    genre_from_features(n_tracks, head, n_draws)
    genre_with_few_labels(n_tracks, n_seeds, n_labels, head)
    instruments(n_pieces, n_seeds, n_labels, head, n_draws, cache)


def genre_from_features(n: int, head: "HeadSettings", n_draws: int) -> None:
    """Print macro F1 and calibration error of the head and of gradient boosting on held-out artists."""
    from bench.tags.genres import by_boosting, by_head, inputs_of, one_hot
    from recsys.tags.calibration import top_tag_ece
    from recsys.tags.card import decided, macro_f1
    from recsys.tags.folds import groups_of

    training, test = inputs_of("train", n), inputs_of("test", n)
    has_tag = one_hot(test)
    ours, theirs = by_head(training, test, head), by_boosting(training, test)
    artists = groups_of(test.facts["artist_id"])
    print(f"Genre from features: {len(training.tracks):,} tracks to train on, {len(has_tag):,} by other artists")
    for name, probability in (("head", ours), ("gradient boosting", theirs)):

        def f1(rows: I64, probability: F64 = probability) -> float:
            return macro_f1(decided(probability[rows], exclusive=True), has_tag[rows])

        def error(rows: I64, probability: F64 = probability) -> float:
            return top_tag_ece(probability[rows], has_tag[rows])

        accuracy, calibration = (_estimate(metric, artists, n_draws) for metric in (f1, error))
        print(f"  {name:<18} macro F1 {accuracy}, calibration error {calibration}")

    def difference(rows: I64) -> float:
        first, second = (macro_f1(decided(p[rows], exclusive=True), has_tag[rows]) for p in (ours, theirs))
        return 100 * (first - second)

    value, low, high = _interval(difference, artists, n_draws)
    print(f"  difference: {value:.1f} points ({low:.1f} to {high:.1f}); bar: at least 1, interval above 0")
    print("  bar of the calibration error: .03")


def genre_with_few_labels(n: int, n_seeds: int, labels: tuple[int, ...], head: "HeadSettings") -> None:
    """Print macro F1 with few labelled tracks, with and without the others."""
    from bench.tags.genres import inputs_of, one_hot

    training, test = inputs_of("train", min(n, 3_000)), inputs_of("test", n)
    print(f"Genre from features with few labels, {len(training.tracks):,} tracks in all, {n_seeds} draws")
    (points,), (test_points,) = training.blocks["features"], test.blocks["features"]
    artists = training.facts["artist_id"].fill_null("unknown").to_numpy()
    tables = (points, one_hot(training), test_points, one_hot(test))
    few_labels(*tables, n_seeds, labels, head, artists=artists)
    active_learning(*tables, n_seeds, head)


def instruments(
    n: int, n_seeds: int, labels: tuple[int, ...], head: "HeadSettings", n_draws: int, cache: Path | None
) -> None:
    """Print what is learned about the instruments of rendered pieces."""
    from bench.tags.instruments import rendered

    training, unseen, test = (rendered(part, size, cache) for part, size in _parts(n))
    hot_train, hot_test = training.has_family, test.has_family
    print(f"Rendered instruments: {len(hot_train):,} pieces, {len(hot_test):,} with other tunes and programs")
    precision(training, unseen, test, n_draws)
    abstentions(n, cache)
    tables = (training.vectors, hot_train, test.vectors, hot_test)
    few_labels(*tables, n_seeds, labels, head)
    wrong_labels(training, n_seeds, head)
    active_learning(*tables, n_seeds, head)


def _parts(n: int) -> list[tuple[str, int]]:
    return [("train", n), ("validation", n // 2), ("test", n // 2)]


def precision(training: "Rendered", unseen: "Rendered", test: "Rendered", n_draws: int) -> None:
    """
    Print macro PR-AUC and calibration of the head of instruments on test pieces, and of one on MFCC statistics.

    Both are logistic regressions whose regularisation was chosen on the validation pieces.
    """
    from bench.tags.instrument_training import best_strength, logistic
    from bench.tags.instrument_training import precision as macro_precision
    from bench.tags.instruments import TAGS
    from recsys.audio.embedding.instruments import instrument_head
    from recsys.tags.calibration import ece

    head = instrument_head()
    own = np.isin(TAGS, head.tags)
    mean, std = training.mfcc.mean(axis=0), training.mfcc.std(axis=0)
    mfcc, unseen_mfcc, test_mfcc = ((part.mfcc - mean) / std for part in (training, unseen, test))
    strength = best_strength(mfcc, training.has_tag[:, own], unseen_mfcc, unseen.has_tag[:, own])
    together = np.concatenate([training.has_tag, unseen.has_tag])[:, own]
    weights, _ = logistic(np.concatenate([mfcc, unseen_mfcc]), together, strength)
    has_tag, probability = test.has_tag[:, own], head.probabilities(test.pooled)

    def ratio(rows: I64) -> float:
        return macro_precision(probability[rows], has_tag[rows]) / macro_precision(
            test_mfcc[rows] @ weights, has_tag[rows]
        )

    ours, theirs = macro_precision(probability, has_tag), macro_precision(test_mfcc @ weights, has_tag)
    value, low, high = _interval(ratio, np.unique(test.tune, return_inverse=True)[1], n_draws)
    figures = f"{value:.2f} x ({low:.2f} to {high:.2f}); bar 1.3 x"
    print(f"  macro PR-AUC {ours:.3f}, on MFCC statistics {theirs:.3f}: {figures}")
    errors = [ece(column, truth) for column, truth in zip(probability.T, has_tag.T, strict=True)]
    n_far = int((~head.is_alike(test.pooled)).sum())
    print(f"  calibration error: mean {np.mean(errors):.3f}, worst {max(errors):.3f}; {n_far} abstentions")


def abstentions(n: int, cache: Path | None) -> None:
    """Print of how many real recordings, of packages that training never met, the head of instruments says anything."""
    from bench.tags.instruments import real_recordings
    from recsys.audio.embedding.instruments import instrument_head

    is_alike = instrument_head().is_alike(real_recordings(n // 10, cache, ("queried", "strangers")))
    print(f"  real recordings that it speaks of: {is_alike.mean():.1%} of {len(is_alike)}")


def probabilities_by(data: "TrainingData", test: F32, head: "HeadSettings", *, semi: bool = False) -> F64:
    """Return the probabilities of a head; if semi, recordings without labels are learned from too. (n_test, n_tags)."""
    from recsys.tags.calibration import probabilities
    from recsys.tags.head import scores
    from recsys.tags.train import TagSettings, fit_head

    encoding, fitted = fit_head(data, np.arange(len(data.labels.tracks)), TagSettings(semi=semi, head=head))
    return probabilities(scores(fitted, encoding.encode(_inputs(test)), exclusive=True), 1.0, exclusive=True)


def few_labels(
    points: F32,
    has_tag: F32,
    test: F32,
    test_has_tag: F32,
    n_seeds: int,
    labels: tuple[int, ...],
    head: "HeadSettings",
    *,
    artists: "np.ndarray | None" = None,
) -> None:
    """
    Print macro F1 with a few labels per class, supervised and semi-supervised, and the ratio over draws.

    `artists` are the names of the recordings' artists, shape (n,); without them, each recording has one of its own.
    """
    from recsys.tags.card import decided, macro_f1

    for n_labels in labels:
        scores = []
        for seed in range(n_seeds):
            rows = _some_of_each(has_tag, n_labels, np.random.default_rng([SEED, seed]))
            data = _data(points, has_tag, rows, artists)
            scores.append(
                [
                    macro_f1(decided(probabilities_by(data, test, head, semi=semi), exclusive=True), test_has_tag)
                    for semi in (False, True)
                ]
            )
        values = np.array(scores)  # (n_seeds, 2)
        ratio, low, high = _ratio(values)
        mean = values.mean(axis=0)
        print(
            f"  {n_labels:>2} labels per class: supervised {mean[0]:.3f}, semi-supervised {mean[1]:.3f}: "
            f"{ratio:.3f} x ({low:.3f} to {high:.3f})" + ("; bar 1.1 x, interval above 1" if n_labels == 10 else "")
        )


def wrong_labels(training: "Rendered", n_seeds: int, head: "HeadSettings") -> None:
    """
    Change a tenth of the labels and print the share of changed ones among as many that are reviewed first.

    All pieces of a tune are in one fold, as all recordings of an artist are.
    """
    import polars as pl

    from recsys.tags.doubts import review_order
    from recsys.tags.folds import artist_folds
    from recsys.tags.train import TagSettings, calibrated_across, cross_fit

    points, has_tag = training.vectors, training.has_family
    shares = []
    for seed in range(min(n_seeds, 3)):
        rng = np.random.default_rng([SEED, seed])
        planted = rng.permutation(len(points))[: round(WRONG_SHARE * len(points))]
        wrong = has_tag.copy()
        shift = rng.integers(1, has_tag.shape[1], len(planted))
        wrong[planted] = np.eye(has_tag.shape[1])[(has_tag[planted].argmax(axis=1) + shift) % has_tag.shape[1]]
        folds = artist_folds(pl.Series(training.tune), seed=seed)
        held_out = cross_fit(_data(points, wrong, np.arange(len(points))), folds, TagSettings(head=head))
        order = review_order(calibrated_across(held_out, wrong, folds, exclusive=True), wrong)
        shares.append(np.isin(order[: len(planted)], planted).mean())
    print(f"  planted wrong labels among the first n reviewed: {np.mean(shares):.3f}; bar .8 ({len(shares)} draws)")


def active_learning(
    points: F32, has_tag: F32, test: F32, test_has_tag: F32, n_seeds: int, head: "HeadSettings"
) -> None:
    """Print macro F1 after twice as many labels, chosen at random and by least certainty."""
    from recsys.tags.card import decided, macro_f1
    from recsys.tags.doubts import labelling_order

    found = []
    for seed in range(min(n_seeds, 5)):
        rng = np.random.default_rng([SEED, seed])
        rows = _some_of_each(has_tag, 10, rng)
        rest = np.setdiff1d(np.arange(len(points)), rows)
        probability = probabilities_by(_data(points, has_tag, rows), points[rest], head)
        chosen = (rng.permutation(rest)[: len(rows)], rest[labelling_order(probability, exclusive=True)[: len(rows)]])
        both = [np.sort(np.concatenate([rows, more])) for more in chosen]
        found.append(
            [
                macro_f1(
                    decided(probabilities_by(_data(points, has_tag, own), test, head), exclusive=True), test_has_tag
                )
                for own in both
            ]
        )
    values = np.array(found)
    ratio, low, high = _ratio(values)
    mean = values.mean(axis=0)
    print(
        f"  10 more labels per class: at random {mean[0]:.3f}, least certain first {mean[1]:.3f}: "
        f"{ratio:.3f} x ({low:.3f} to {high:.3f})"
    )


def _inputs(points: F32, artists: "np.ndarray | None" = None) -> "TrackInputs":
    """Return inputs of one block; without artists, each recording has one of its own."""
    import polars as pl

    from recsys.dataset.vocab import Vocab
    from recsys.tags.inputs import TrackInputs

    ids = [f"{row:08d}" for row in range(len(points))]
    unknown = pl.lit("unknown")
    facts = pl.DataFrame({"track_id": ids, "artist_id": ids if artists is None else artists}).with_columns(
        training_consent=pl.lit("granted"), genre=unknown, language=unknown, country=unknown
    )
    return TrackInputs(Vocab.of(ids, kind="track"), {"points": (points,)}, facts)


def _data(points: F32, has_tag: F32, rows: I64, artists: "np.ndarray | None" = None) -> "TrainingData":
    """Return training data with the labels of some recordings, by sorted rows; the others have none."""
    from recsys.tags.labels import Labels
    from recsys.tags.train import TrainingData

    every = _inputs(points, artists)
    inputs, others = every.of_rows(rows), every.of_rows(np.setdiff1d(np.arange(len(points)), rows))
    names = tuple(f"{number:02d}" for number in range(has_tag.shape[1]))
    return TrainingData(Labels("instrument", inputs.tracks, names, has_tag[rows], is_exclusive=True), inputs, others)


def _some_of_each(has_tag: F32, n: int, rng: np.random.Generator) -> I64:
    """Return the rows of at most n recordings of each class, sorted."""
    rows = [rng.permutation(np.flatnonzero(column))[:n] for column in has_tag.T]
    return np.sort(np.concatenate(rows))


def _ratio(values: F64) -> tuple[float, float, float]:
    """Return the ratio of the means of the second and first column, with a bootstrap interval over rows."""
    draws = np.random.default_rng(SEED).integers(len(values), size=(N_DRAWS, len(values)))
    means = values[draws].mean(axis=1)  # (N_DRAWS, 2)
    low, high = np.percentile(means[:, 1] / means[:, 0], (2.5, 97.5))
    first, second = values.mean(axis=0)
    return float(second / first), float(low), float(high)


def _interval(metric: Callable[[I64], float], groups: I64, n_draws: int) -> tuple[float, float, float]:
    from recsys.tags.card import interval

    found = interval(metric, groups, seed=SEED, n_draws=n_draws)
    return found.value, found.low, found.high


def _estimate(metric: Callable[[I64], float], groups: I64, n_draws: int) -> str:
    value, low, high = _interval(metric, groups, n_draws)
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


if __name__ == "__main__":
    main()
