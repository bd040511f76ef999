"""Heads: grouped folds, training, consent, held-out metrics, and degenerate data."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError
from recsys.tags import learn
from recsys.tags.card import HeldOut, decided, interval, macro_f1
from recsys.tags.doubts import labelling_order
from recsys.tags.folds import artist_folds
from recsys.tags.head import Examples, HeadSettings, batches, fit, n_batches, scores
from recsys.tags.inputs import TrackInputs
from recsys.tags.labels import labels_of
from recsys.tags.train import TrainingData, cross_fit, train

from .conftest import SMALL


def with_sound(catalogue: TrackInputs, sound: np.ndarray) -> TrackInputs:
    """Return the catalogue with other numbers."""
    return replace(catalogue, blocks={"sound": (sound.astype(np.float32),)})


def test_no_artist_is_in_two_folds() -> None:
    """Folds have similar sizes, and a recording without an artist is on its own."""
    artists = pl.Series([f"a{row % 7}" for row in range(70)] + [None] * 30)

    folds = artist_folds(artists)

    per_artist = pl.DataFrame({"artist": artists, "fold": folds}).drop_nulls().group_by("artist").n_unique()
    assert per_artist["fold"].to_list() == [1] * 7
    assert np.bincount(folds).tolist() == [20] * 5
    assert len(set(artist_folds(pl.Series(["one"] * 9)))) == 1


def test_a_head_learns_genres(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """By artists that it was not trained on; a recording whose consent is denied is not trained on, but gets tags."""
    labels = labels_of(given, catalogue.tracks.ids())[0]

    learned = learn.learn_kind(labels, catalogue, SMALL)

    assert learned.card["data"]["n_labelled"] == 90
    assert learned.card["data"]["n_trained"] == 81
    assert learned.card["data"]["consent"] == {"granted": 81, "denied": 9}
    assert learned.card["metrics"]["macro_f1"]["value"] > 0.8
    assert learned.card["ablation"] == []
    used = learn.trained_recordings(learned.labels, learned.settings, catalogue, catalogue.facts)
    assert [(role, len(own), set(own.values())) for role, own in used.items()] == [("labels", 81, {"granted"})]
    probability = learn.catalogue_probabilities(learned.head, catalogue)
    assert np.isnan(probability).all(axis=1).tolist() == [False] * 115 + [True] * 5
    rows = learn.predicted_tags(learned.head, catalogue, probability)
    assert set(rows["tagger"]) == {"own-genre"}
    assert "t000" in set(rows["track_id"])
    assert (rows["probability"] >= learn.MIN_PROBABILITY).all()


def test_labelled_recordings_get_held_out_probabilities(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """A wrong label does not confirm itself: it is doubted, and the genre that it sounds like is suggested."""
    wrong = given.with_columns(tag=pl.when(pl.col("track_id") == "t007").then(pl.lit("rock")).otherwise("tag"))
    facts = catalogue.facts.with_columns(
        genre=pl.when(pl.col("track_id") == "t007").then(pl.lit("rock")).otherwise("genre")
    )
    delivered = replace(catalogue, facts=facts)
    learned = learn.learn_kind(labels_of(wrong, delivered.tracks.ids())[0], delivered, SMALL)

    found = learn.doubted_labels(learned.head, delivered, learn.catalogue_probabilities(learned.head, delivered))

    first = found.row(0, named=True)
    assert (first["track_id"], first["tag"], first["suggested"]) == ("t007", "rock", "pop")
    assert first["probability"] > 0.5 > first["given_probability"]


def test_what_to_label_next(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Recordings whose label would be used, the least certain first; a tag at .5 is uncertain by itself."""
    learned = learn.learn_kind(labels_of(given, catalogue.tracks.ids())[0], catalogue, SMALL)
    probability = learn.catalogue_probabilities(learned.head, catalogue)

    found = learn.to_label_next(learned, catalogue, probability)

    assert set(found["track_id"]) == {f"t{row:03d}" for row in range(90, 115)} - {"t090", "t100", "t110"}
    two = np.sort(probability[catalogue.tracks.rows(found["track_id"])], axis=1)[:, -2:]
    assert (np.diff(two[:, 1] - two[:, 0]) >= 0).all()
    assert labelling_order(np.array([[0.9, 0.1], [0.5, 0.0]]), exclusive=False).tolist() == [1, 0]


def test_semi_supervised_training_uses_the_others(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Those with consent and sound, also where a recording may have several tags."""
    settings = replace(SMALL, semi=True)
    several = pl.concat([given, given.slice(1, 1).with_columns(tag=pl.lit("jazz"))])

    one = learn.learn_kind(labels_of(given, catalogue.tracks.ids())[0], catalogue, settings)
    many = learn.learn_kind(labels_of(several, catalogue.tracks.ids())[0], catalogue, settings)

    assert one.card["data"]["n_unlabelled_used"] == 25 - 3
    assert one.card["metrics"]["macro_f1"]["value"] > 0.8
    assert many.head.labels.is_exclusive is False
    assert many.card["metrics"]["macro_f1"]["value"] > 0.7


def test_held_out_artists_teach_nothing_without_labels_either(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Whatever an unlabelled recording of a22 sounds like, the held-out scores of that artist's fold are the same."""
    other = catalogue.blocks["sound"][0].copy()
    other[91] = 9
    settings, labels = replace(SMALL, semi=True), labels_of(given, catalogue.tracks.ids())[0]
    both = [TrainingData.of(labels, inputs, settings) for inputs in (catalogue, with_sound(catalogue, other))]
    artists = both[0].inputs.facts["artist_id"]
    folds = artist_folds(artists)

    before, after = (cross_fit(data, folds, settings) for data in both)

    is_of_fold = folds == folds[(artists == "a22").arg_true()[0]]
    assert before[is_of_fold] == pytest.approx(after[is_of_fold], abs=1e-9)
    assert before[~is_of_fold] != pytest.approx(after[~is_of_fold], abs=1e-3)


def test_missing_inputs_and_constant_inputs(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """With the same numbers for all, probabilities are the shares of the genres, and nothing fails."""
    labels = labels_of(given, catalogue.tracks.ids())[0]
    same = with_sound(catalogue, np.ones((120, 70)))

    learned = train(TrainingData.of(labels, same, SMALL), SMALL)

    assert learned.predict(same)[0] == pytest.approx([1 / 3] * 3, abs=0.12)
    with pytest.raises(InputError, match="found 0 recordings with 0 tags"):
        TrainingData.of(labels, with_sound(catalogue, np.full((120, 3), np.nan)), SMALL)


def test_too_few_labels_are_refused(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Twenty recordings with two tags are needed, and more than one artist."""
    few = labels_of(given.head(15), catalogue.tracks.ids())[0]
    alone = replace(catalogue, facts=catalogue.facts.with_columns(artist_id=pl.lit("a00")))

    with pytest.raises(InputError, match="found 13 recordings with 3 tags"):
        TrainingData.of(few, catalogue, SMALL)
    with pytest.raises(InputError, match="one artist only"):
        train(TrainingData.of(labels_of(given, alone.tracks.ids())[0], alone, SMALL), SMALL)


def test_a_rare_tag_is_trained_but_not_shown(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Two recordings have it, fewer than folds."""
    rare = given.with_columns(
        tag=pl.when(pl.col("track_id").is_in(["t001", "t002"])).then(pl.lit("ska")).otherwise("tag")
    )

    learned = learn.learn_kind(labels_of(rare, catalogue.tracks.ids())[0], catalogue, SMALL)

    assert learned.head.labels.names[-1] == "ska"
    assert not learned.head.is_shown[-1]
    assert "ska" not in set(learn.predicted_tags(learned.head, catalogue, learned.head.predict(catalogue))["tag"])


def test_the_ablation_tells_which_inputs_help(catalogue: TrackInputs, given: pl.DataFrame) -> None:
    """Each block alone, on the same recordings; noise alone is near chance, and a block that few have is left out."""
    noise = np.random.default_rng(5).normal(size=(120, 2)).astype(np.float32)
    few = np.where(np.arange(120)[:, None] < 20, noise, np.nan).astype(np.float32)
    both = replace(catalogue, blocks={**catalogue.blocks, "metadata": (noise,), "listening": (few,)})

    found = {
        part["inputs"]: part
        for part in learn.ablation(TrainingData.of(labels_of(given, both.tracks.ids())[0], both, SMALL), SMALL)
    }

    assert found["sound"]["macro_f1"]["value"] > 0.8
    assert found["metadata"]["macro_f1"]["value"] < 0.55
    assert found["sound"]["n"] == found["metadata"]["n"] == 81
    assert found["listening"] == {
        "inputs": "listening",
        "n_described": 18,
        "left_out": "18 labelled recordings have it, at least 20 are needed",
    }


def test_soft_targets_and_weights_count() -> None:
    """Of two equal groups, the one with weight 0 is not learned; a target of one quarter gives one quarter."""
    encoded = np.ones((400, 1), np.float32)
    targets = np.array([[0.25, 0.75]] * 200 + [[1, 0]] * 200, np.float32)
    weights = np.array([1] * 200 + [0] * 200, np.float32)
    settings = HeadSettings(members=2, width=4, dropout=0, min_steps=300, learning_rate=0.03)

    found = scores(fit(Examples(encoded, targets, weights, is_exclusive=True), settings), encoded[:1], exclusive=True)

    assert np.exp(found[0]) == pytest.approx([0.25, 0.75], abs=0.02)


def test_recordings_without_weight_are_left_out() -> None:
    """Batches of them alone would have no mean: the network is that of the others."""
    rng = np.random.default_rng(0)
    encoded = rng.normal(size=(40, 3)).astype(np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(40) % 2]
    weights = (np.arange(40) < 8).astype(np.float32)
    settings = HeadSettings(members=1, width=4, min_steps=20, batch_size=4)

    mixed = fit(Examples(encoded, targets, weights, is_exclusive=True), settings)
    alone = fit(Examples(encoded[:8], targets[:8], weights[:8], is_exclusive=True), settings)

    found = scores(mixed, encoded, exclusive=True)
    assert np.isfinite(found).all()
    assert np.array_equal(found, scores(alone, encoded, exclusive=True))
    with pytest.raises(ValueError, match="no track with a weight above 0"):
        fit(Examples(encoded, targets, 0 * weights, is_exclusive=True), settings)


@pytest.mark.parametrize("n", [1, 9, 10, 25])
def test_the_number_of_batches(n: int) -> None:
    """It is known before they are drawn."""
    ones = np.ones((n, 1), np.float32)
    settings = HeadSettings(epochs=2, min_steps=5, batch_size=10)

    drawn = list(batches(Examples(ones, ones, ones[:, 0], is_exclusive=True), settings))

    n_epochs, per_epoch = n_batches(n, settings)
    assert len(drawn) == n_epochs * per_epoch >= 5
    assert {len(encoded) for encoded, _, _ in drawn} == {min(n, 10)}


def test_the_same_seed_gives_the_same_head() -> None:
    """And another seed another one."""
    rng = np.random.default_rng(0)
    examples = Examples(
        rng.normal(size=(30, 3)).astype(np.float32),
        np.eye(3, dtype=np.float32)[np.arange(30) % 3],
        np.ones(30, np.float32),
        True,
    )
    first, again, other = (
        scores(
            fit(examples, HeadSettings(members=1, width=4, min_steps=5, seed=seed)), examples.encoded, exclusive=True
        )
        for seed in (1, 1, 2)
    )

    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_macro_f1_and_its_interval_by_hand() -> None:
    """Precision 1/2 and recall 1 give 2/3; a tag that is neither given nor predicted does not count."""
    predicted = np.array([[1, 0, 0], [1, 0, 0]], bool)
    has_tag = np.array([[1, 0, 0], [0, 1, 0]], np.float32)

    assert macro_f1(predicted, has_tag) == pytest.approx((2 / 3 + 0) / 2)
    assert np.isnan(macro_f1(predicted[:0], has_tag[:0]))
    assert decided(np.array([[0.4, 0.6], [0.5, 0.2]]), exclusive=False).tolist() == [[False, True], [True, False]]
    found = interval(lambda rows: float(rows.mean()), np.array([0, 0, 1]))
    assert (found.value, found.low, found.high) == (1.0, 0.5, 2.0)


def test_metrics_of_each_group() -> None:
    """Of each genre, language and country, the largest first; those of fewer than ten recordings are not known."""
    row = np.arange(60)
    has_tag = np.eye(2, dtype=np.float32)[row % 2]
    is_right = (row < 30) | (row % 3 == 0)
    probability = np.where(is_right[:, None], has_tag, 1 - has_tag) * 0.8 + 0.1
    facts = pl.DataFrame(
        {
            "artist_id": [f"a{number // 4}" for number in row],
            "genre": ["rock" if number < 30 else "jazz" for number in row],
            "language": ["is" if number < 9 else None for number in row],
            "country": ["DE" if number < 50 else "FR" for number in row],
        }
    )

    metrics = HeldOut(probability, has_tag, True, facts).metrics()

    groups = {(group["of"], group["name"]): group for group in metrics["groups"]}

    assert {key: (group["n"], group["accuracy"]["value"]) for key, group in groups.items()} == {
        ("genre", "jazz"): (30, pytest.approx(1 / 3)),
        ("genre", "rock"): (30, 1),
        ("language", "unknown"): (51, pytest.approx(31 / 51)),
        ("language", "is"): (9, None),
        ("country", "DE"): (50, pytest.approx(37 / 50)),
        ("country", "FR"): (10, pytest.approx(3 / 10)),
    }
    assert groups["genre", "rock"]["ece"]["value"] == pytest.approx(0.1)
    assert groups["genre", "jazz"]["ece"]["value"] == pytest.approx(0.9 - 1 / 3)
    jazz = groups["genre", "jazz"]["accuracy"]
    assert 0 <= jazz["low"] < 0.33 < jazz["high"] <= 1
    assert set(groups["language", "is"]["ece"].values()) == {None}


def test_recordings_without_an_artist_are_groups_of_their_own() -> None:
    """Their metric has an interval; that of a single artist is not known."""
    has_tag = np.eye(2, dtype=np.float32)[np.arange(30) % 2]
    probability = np.where(np.arange(30)[:, None] < 15, has_tag, 1 - has_tag).astype(np.float64)
    facts = pl.DataFrame(
        {"artist_id": pl.Series([None] * 30, dtype=pl.String), "genre": "rock", "language": "en", "country": "DE"}
    )

    alone = HeldOut(probability, has_tag, True, facts).metrics()["macro_f1"]
    one = HeldOut(probability, has_tag, True, facts.with_columns(artist_id=pl.lit("a"))).metrics()["macro_f1"]

    assert alone["value"] == pytest.approx(0.5, abs=0.01)
    assert alone["low"] < 0.4
    assert alone["high"] > 0.6
    assert one == {"value": alone["value"], "low": None, "high": None}
