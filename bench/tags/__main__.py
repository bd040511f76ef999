"""
Learned tags: accuracy and calibration, few labels, and wrong labels.

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

from bench.options import benchmark, data_folder, size
from recsys.arrays import F32, F64, I64

if TYPE_CHECKING:
    from bench.tags.instruments import Rendered
    from recsys.tags.inputs import TrackInputs
    from recsys.tags.train import TrainingData

SEED, N_DRAWS = 7, 1_000
LABELS_PER_CLASS = (5, 10, 50)
WRONG_SHARE = 0.1


@benchmark(headline=r"difference: (-?\d+\.\d) points")
@size("--tracks", "n_tracks", default=30_000, smallest=400, help="Tracks with features, at most.")
@size("--pieces", "n_pieces", default=2_400, smallest=30, help="Rendered pieces without labels; a third for the test.")
@size("--seeds", "n_seeds", default=10, smallest=1, help="Draws of the few labels.")
@click.option("--cache", type=click.Path(path_type=Path), help="Folder that keeps the vectors of rendered pieces.")
def main(n_tracks: int, n_pieces: int, n_seeds: int, cache: Path | None) -> None:
    """Print all tables."""
    import torch

    data_folder()  # raises before any work
    torch.set_num_threads(1)
    genre_from_features(n_tracks)
    genre_with_few_labels(n_tracks, n_seeds)
    instruments(n_pieces, n_seeds, cache)


def genre_from_features(n: int) -> None:
    """Print macro F1 and calibration error of the head and of gradient boosting on held-out artists."""
    from bench.tags.genres import by_boosting, by_head, inputs_of, one_hot
    from recsys.tags.calibration import top_tag_ece
    from recsys.tags.card import decided, macro_f1
    from recsys.tags.folds import groups_of

    training, test = inputs_of("train", n), inputs_of("test", n)
    has_tag = one_hot(test)
    ours, theirs = by_head(training, test), by_boosting(training, test)
    artists = groups_of(test.facts["artist_id"])
    print(f"Genre from features: {len(training.tracks):,} tracks to train on, {len(has_tag):,} by other artists")
    for name, probability in (("head", ours), ("gradient boosting", theirs)):

        def f1(rows: I64, probability: F64 = probability) -> float:
            return macro_f1(decided(probability[rows], exclusive=True), has_tag[rows])

        def error(rows: I64, probability: F64 = probability) -> float:
            return top_tag_ece(probability[rows], has_tag[rows])

        print(f"  {name:<18} macro F1 {_estimate(f1, artists)}, calibration error {_estimate(error, artists)}")

    def difference(rows: I64) -> float:
        first, second = (macro_f1(decided(p[rows], exclusive=True), has_tag[rows]) for p in (ours, theirs))
        return 100 * (first - second)

    value, low, high = _interval(difference, artists)
    print(f"  difference: {value:.1f} points ({low:.1f} to {high:.1f}); bar: at least 1, interval above 0")
    print("  bar of the calibration error: .03")


def genre_with_few_labels(n: int, n_seeds: int) -> None:
    """Print macro F1 with few labelled tracks, with and without the others."""
    from bench.tags.genres import inputs_of, one_hot

    training, test = inputs_of("train", min(n, 3_000)), inputs_of("test", n)
    print(f"Genre from features with few labels, {len(training.tracks):,} tracks in all, {n_seeds} draws")
    (points,), (test_points,) = training.blocks["features"], test.blocks["features"]
    few_labels(points, one_hot(training), test_points, one_hot(test), n_seeds)


def instruments(n: int, n_seeds: int, cache: Path | None) -> None:
    """Print what is learned about the instruments of rendered pieces."""
    from bench.tags.instruments import rendered

    training, test = rendered("train", n, cache), rendered("test", n // 3, cache)
    hot_train, hot_test = training.has_family, test.has_family
    print(f"Rendered instruments: {len(hot_train):,} pieces, {len(hot_test):,} with other tunes and programs")
    precision(training, test, hot_train, hot_test)
    few_labels(training.vectors, hot_train, test.vectors, hot_test, n_seeds)
    wrong_labels(training, n_seeds)
    active_learning(training.vectors, hot_train, test.vectors, hot_test, n_seeds)


def precision(training: "Rendered", test: "Rendered", hot_train: F32, hot_test: F32) -> None:
    """Print the area under the precision-recall curve, mean over families, on embeddings and on MFCC statistics."""
    from sklearn.metrics import average_precision_score

    has_any = hot_test.any(axis=0)
    ours, mfcc = (
        float(average_precision_score(hot_test[:, has_any], probability[:, has_any], average="macro"))
        for probability in (
            probabilities_by(training.vectors, hot_train, test.vectors),
            probabilities_by(training.mfcc, hot_train, test.mfcc),
        )
    )
    print(f"  macro PR-AUC {ours:.3f}, on MFCC statistics {mfcc:.3f}: {ours / mfcc:.2f} x; bar 1.3 x")


def probabilities_by(blocks: F32, has_tag: F32, test: F32, *, others: F32 | None = None) -> F64:
    """Return the probabilities of a head; `others` are inputs without labels to learn from too. (n_test, n_tags)."""
    from recsys.tags.calibration import probabilities
    from recsys.tags.head import scores
    from recsys.tags.train import TagSettings, fit_head

    data = _data(blocks, has_tag, others)
    encoding, head = fit_head(data, np.arange(len(blocks)), TagSettings(semi=others is not None))
    return probabilities(scores(head, encoding.encode(_inputs(test)), exclusive=True), 1.0, exclusive=True)


def few_labels(points: F32, has_tag: F32, test: F32, test_has_tag: F32, n_seeds: int) -> None:
    """Print macro F1 with a few labels per class, supervised and semi-supervised, and the ratio over draws."""
    from recsys.tags.card import decided, macro_f1

    for n_labels in LABELS_PER_CLASS:
        scores = []
        for seed in range(n_seeds):
            rows = _some_of_each(has_tag, n_labels, np.random.default_rng([SEED, seed]))
            others = np.delete(points, rows, axis=0)
            scores.append(
                [
                    macro_f1(decided(probability, exclusive=True), test_has_tag)
                    for probability in (
                        probabilities_by(points[rows], has_tag[rows], test),
                        probabilities_by(points[rows], has_tag[rows], test, others=others),
                    )
                ]
            )
        values = np.array(scores)  # (n_seeds, 2)
        ratio, low, high = _ratio(values)
        mean = values.mean(axis=0)
        print(
            f"  {n_labels:>2} labels per class: supervised {mean[0]:.3f}, semi-supervised {mean[1]:.3f}: "
            f"{ratio:.3f} x ({low:.3f} to {high:.3f})" + ("; bar 1.1 x, interval above 1" if n_labels == 10 else "")
        )


def wrong_labels(training: "Rendered", n_seeds: int) -> None:
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
        held_out = cross_fit(_data(points, wrong, None), folds, TagSettings())
        order = review_order(calibrated_across(held_out, wrong, folds, exclusive=True), wrong)
        shares.append(np.isin(order[: len(planted)], planted).mean())
    print(f"  planted wrong labels among the first n reviewed: {np.mean(shares):.3f}; bar .8 ({len(shares)} draws)")


def active_learning(points: F32, has_tag: F32, test: F32, test_has_tag: F32, n_seeds: int) -> None:
    """Print macro F1 after twice as many labels, chosen at random and by least certainty."""
    from recsys.tags.card import decided, macro_f1
    from recsys.tags.doubts import labelling_order

    found = []
    for seed in range(min(n_seeds, 5)):
        rng = np.random.default_rng([SEED, seed])
        rows = _some_of_each(has_tag, 10, rng)
        rest = np.setdiff1d(np.arange(len(points)), rows)
        probability = probabilities_by(points[rows], has_tag[rows], points[rest])
        chosen = (rng.permutation(rest)[: len(rows)], rest[labelling_order(probability, exclusive=True)[: len(rows)]])
        both = [np.concatenate([rows, more]) for more in chosen]
        found.append(
            [
                macro_f1(decided(probabilities_by(points[own], has_tag[own], test), exclusive=True), test_has_tag)
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


def _inputs(points: F32) -> "TrackInputs":
    """Return inputs of one block, each recording by an artist of its own."""
    import polars as pl

    from recsys.dataset.vocab import Vocab
    from recsys.tags.inputs import TrackInputs

    ids = [f"{row:08d}" for row in range(len(points))]
    unknown = pl.lit("unknown")
    facts = pl.DataFrame({"track_id": ids, "artist_id": ids}).with_columns(
        training_consent=pl.lit("granted"), genre=unknown, language=unknown
    )
    return TrackInputs(Vocab.of(ids, kind="track"), {"points": (points,)}, facts)


def _data(points: F32, has_tag: F32, others: F32 | None) -> "TrainingData":
    from recsys.tags.labels import Labels
    from recsys.tags.train import TrainingData

    inputs = _inputs(points)
    names = tuple(f"{number:02d}" for number in range(has_tag.shape[1]))
    labels = Labels("instrument", inputs.tracks, names, has_tag, is_exclusive=True)
    return TrainingData(labels, inputs, _inputs(points[:0] if others is None else others))


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


def _interval(metric: Callable[[I64], float], groups: I64) -> tuple[float, float, float]:
    from recsys.tags.card import interval

    found = interval(metric, groups, seed=SEED)
    return found.value, found.low, found.high


def _estimate(metric: Callable[[I64], float], groups: I64) -> str:
    value, low, high = _interval(metric, groups)
    return f"{value:.4f} ({low:.4f} to {high:.4f})"


if __name__ == "__main__":
    main()
