"""Tuning: the first trials, reproducibility, continuation of a search, and the data that it uses."""

import json
import tomllib
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from polars.testing import assert_frame_equal

from recsys.cli import main
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe, InputError
from recsys.experiments import comparison, tuning
from recsys.experiments.tuning import OWN_ORDER, Budget, TuningResult, TuningTask
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASEConfig
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.search_space import Choice, ranges
from recsys.recommenders.popular import PopularConfig
from recsys.recommenders.scorer import scorer_class, scorer_names


def small_split() -> Split:
    """Ten listeners with eight tracks each, in different orders: six for training, two held out."""
    rows = [
        {"user_id": f"u{user}", "track_id": f"t{(user * 3 + number * 5) % 12:02}", "strength": 1.0 + number % 2,
         "age_days": 30.0 - 3 * number, "number": number}
        for user in range(10) for number in range(8)
    ]  # fmt: skip
    tracks = {"track_id": [f"t{n:02}" for n in range(12)], "artist": [f"a{n % 5}" for n in range(12)]}
    pairs, catalogue = pl.DataFrame(rows), pl.DataFrame(tracks)
    train = Interactions.of(pairs.filter(pl.col("number") < 6).drop("number"), catalogue=catalogue)
    return Split.of(train, pairs.filter(pl.col("number") >= 6).select("user_id", "track_id"))


def task(name: str = "ease", **given: Any) -> TuningTask:
    """Define the search for one recommender's settings on the small split."""
    split = small_split()
    return TuningTask(name, split, Filters.of(split.train), k=3, **given)


def value_of(config: EASEConfig) -> float:
    """Return a stand-in for nDCG, highest at a side weight of 40."""
    return 1.0 - abs(config.side_weight - 40) / 100


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Replace the evaluation by `value_of`, and return the list that collects all settings tried."""
    seen: list[Any] = []

    def evaluated(_task: TuningTask, config: Any) -> float:
        seen.append(config)
        return value_of(config)

    monkeypatch.setattr(tuning, "validation_ndcg", evaluated)
    return seen


def test_the_first_trials_are_the_defaults_and_their_decays(tried: list[Any]) -> None:
    """The defaults, then without decay, then with decay by the listener's own order; then the search begins."""
    tuning.tune(task(), Budget(trials=5))

    assert tried[0] == EASEConfig()
    assert tried[1] == EASEConfig(recency=0.0)
    assert tried[2] == EASEConfig(recency=0.0, rank_recency=4.0, window_weight=3.0)
    assert len({*tried}) == 5


def test_a_model_without_order_settings_begins_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that has only `recency` tries it once at 0, and the same settings are never tried twice."""
    seen: list[Any] = []

    def evaluated(_task: TuningTask, config: Any) -> float:
        seen.append(config)
        return 0.5

    monkeypatch.setattr(tuning, "validation_ndcg", evaluated)
    tuning.tune(task("content"), Budget(trials=4))

    assert [config.recency for config in seen[:2]] == [scorer_class("content").config_class().recency, 0.0]
    assert len({*seen}) == 4


def test_every_setting_stays_in_its_range(tried: list[Any]) -> None:
    """No trial leaves the declared range; a setting without a range keeps its default."""
    tuning.tune(task(), Budget(trials=8))

    for name, limits in ranges(EASEConfig).items():
        values = {getattr(config, name) for config in tried}
        if isinstance(limits, Choice):
            assert values <= {*limits.values}
        else:
            assert limits.low <= min(values) <= max(values) <= limits.high
    assert {config.max_tracks for config in tried} == {EASEConfig().max_tracks}


def without(pairs: dict[str, Any], *, has_artists: bool) -> TuningTask:
    """Define the search on the small split with some columns of its pairs replaced, with or without artists."""
    split = small_split()
    train = split.train
    rows = train.matrix.tocoo()
    names = {"user_id": train.users.ids(rows.row), "track_id": train.tracks.ids(rows.col)}
    given = {"strength": rows.data, "age_days": train.age_days} | pairs
    frame = pl.DataFrame(names).with_columns(**{name: pl.Series(values) for name, values in given.items()})
    catalogue = pl.DataFrame({"track_id": train.tracks.ids()})
    artists = catalogue.with_columns(artist=pl.lit("a"))
    own = Interactions.of(frame, catalogue=artists if has_artists else catalogue)
    return TuningTask("ease", replace(split, train=own), Filters.of(own), k=3)


@pytest.mark.parametrize(
    ("pairs", "has_artists", "fixed"),
    [
        ({}, True, set()),
        ({"age_days": np.full(60, 4.0)}, True, {*OWN_ORDER}),
        ({"age_days": np.repeat(np.arange(10.0), 6)}, True, {*OWN_ORDER}),  # one age per listener
        ({"strength": np.ones(60)}, True, {"strength_exponent"}),
        ({}, False, {"side_weight"}),
    ],
)
def test_no_trial_is_spent_on_what_cannot_matter(
    tried: list[Any], pairs: dict[str, Any], has_artists: bool, fixed: set[str]
) -> None:
    """Without order, strengths or features, their settings keep the defaults, and all others are searched."""
    tuning.tune(without(pairs, has_artists=has_artists), Budget(trials=8))

    names = {*ranges(EASEConfig)}
    assert {name for name in names if len({getattr(config, name) for config in tried}) == 1} == fixed


@pytest.mark.parametrize("name", ["ease", "als", "item_knn", "user_knn"])
def test_recency_without_order_gives_the_same_lists(name: str) -> None:
    """What the search leaves out does not matter: one age per listener, recency and rank_recency at their largest."""
    strengths = np.random.default_rng(3).uniform(0.5, 5, 60)  # so that no two tracks have the same score
    own = without({"age_days": np.repeat(np.arange(10.0), 6), "strength": strengths}, has_artists=True)
    lists = [
        Recommender.named(name, scorer_class(name).config_class(recency=recency, rank_recency=recency))
        .fit(own.split.train)
        .recommend(own.split.train.users.ids(), 3, filters=own.filters)
        for recency in (0.0, 16.0)
    ]

    assert_frame_equal(lists[0].select("user_id", "track_id", "rank"), lists[1].select("user_id", "track_id", "rank"))


def test_the_best_is_returned(tried: list[Any]) -> None:
    """The result has the settings and value of the best trial, which is never below that of the defaults."""
    result = tuning.tune(task(), Budget(trials=8))

    values = [value_of(config) for config in tried]
    assert result == TuningResult(tried[int(np.argmax(values))], max(values), 8)
    assert result.validation_ndcg >= values[0]


def test_a_seed_fixes_the_search(tried: list[Any]) -> None:
    """The same seed tries the same settings in the same order; another seed tries different ones."""
    for seed in (7, 7, 8):
        tuning.tune(task(seed=seed), Budget(trials=6))

    assert tried[:6] == tried[6:12]
    assert tried[:3] == tried[12:15]
    assert tried[3:6] != tried[15:]


def test_a_search_is_continued_from_its_journal(tried: list[Any], tmp_path: Path) -> None:
    """Trials in the journal count: a budget of five adds two trials to three, and none to five."""
    journal = tmp_path / "tuning" / "ease.journal"

    first = tuning.tune(task(), Budget(trials=3), journal=journal)
    whole = tuning.tune(task(), Budget(trials=5), journal=journal)
    again = tuning.tune(task(), Budget(trials=5), journal=journal)

    assert (first.n_trials, whole.n_trials, len(tried)) == (3, 5, 5)
    assert len({*tried}) == 5
    assert again == whole


def test_an_interrupted_trial_is_repeated(tried: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that was interrupted in its first trial still tries the defaults when it is continued."""
    journal, evaluated = tmp_path / "ease.journal", tuning.validation_ndcg

    def killed(_task: TuningTask, _config: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "validation_ndcg", killed)
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(task(), Budget(trials=3), journal=journal)
    monkeypatch.setattr(tuning, "validation_ndcg", evaluated)
    result = tuning.tune(task(), Budget(trials=3), journal=journal)

    assert EASEConfig() in tried
    assert EASEConfig(recency=0.0) in tried
    assert result.n_trials == len(tried) == 3


def test_every_trial_is_reported(tried: list[Any]) -> None:
    """There is one event per trial, with its number and the best value so far."""
    events: list[dict[str, Any]] = []

    tuning.tune(task(), Budget(trials=3), tell=events.append)

    assert [(event["event"], event["trial"], event["of"]) for event in events] == [("trial", n, 3) for n in (1, 2, 3)]
    assert [event["best"] for event in events] == list(np.maximum.accumulate([event["value"] for event in events]))


def test_no_trial_begins_after_the_cpu_time_is_spent(tried: list[Any]) -> None:
    """The defaults are tried even if the budget allows no CPU time."""
    result = tuning.tune(task(), Budget(trials=5, cpu_seconds=0.0))

    assert (result.config, result.n_trials) == (EASEConfig(), 1)


def test_a_model_without_ranges_is_tried_once() -> None:
    """For a recommender without tunable settings, only the defaults are evaluated, whatever the budget."""
    result = tuning.tune(task("popular"), Budget(trials=5))

    assert (result.config, result.n_trials) == (PopularConfig(), 1)
    assert 0 < result.validation_ndcg < 1


def test_settings_are_evaluated_on_the_validation_split_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial fits on the split's training part only, and its value is that of a separate fit."""
    search, fitted, original = task(), [], Recommender.fit

    def spied(self: Recommender[Any], interactions: Interactions, **given: Any) -> Recommender[Any]:
        fitted.append((interactions, given))
        return original(self, interactions, **given)

    monkeypatch.setattr(Recommender, "fit", spied)
    result = tuning.tune(search, Budget(trials=3))

    assert len(fitted) == 3
    assert all(interactions is search.split.train and not given for interactions, given in fitted)
    assert result.validation_ndcg == tuning.validation_ndcg(search, result.config)
    assert result.validation_ndcg >= tuning.validation_ndcg(search, EASEConfig())


def test_a_split_without_held_out_tracks_is_refused() -> None:
    """A split without held-out tracks is refused."""
    train = small_split().train
    empty = Split.of(train, pl.DataFrame(schema={"user_id": pl.String, "track_id": pl.String}))

    with pytest.raises(InputError, match="ease: the validation split has no held-out tracks"):
        tuning.tune(TuningTask("ease", empty, Filters.of(train)), Budget(trials=2))


def test_an_unknown_recommender_is_refused() -> None:
    """A misspelt recommender is refused, and the nearest name is suggested."""
    with pytest.raises(BadRecipe, match="Did you mean 'ease'"):
        tuning.tune(task("eas"), Budget(trials=1))


def test_candidates_only_restrict_filters() -> None:
    """A track must be a candidate and must have been allowed before."""
    filters = Filters.of(small_split().train)
    ids = filters.tracks.ids()

    restricted = filters.restricted_to(ids.gather_every(2)).restricted_to([*ids[:4], "unknown track"])

    assert restricted.allowed.tolist() == [[n in (0, 2) for n in range(12)]]


@pytest.mark.parametrize("name", scorer_names())
def test_defaults_lie_in_their_ranges(name: str) -> None:
    """The defaults of every recommender are in their ranges."""
    config_class = scorer_class(name).config_class
    defaults = asdict(config_class())

    for setting, limits in ranges(config_class).items():
        if isinstance(limits, Choice):
            assert defaults[setting] in limits.values
        else:
            assert limits.low <= defaults[setting] <= limits.high
            assert not limits.log or limits.low > 0


def test_the_command_prints_a_section_of_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recsys tune` prints a valid section of a recipe, and a second call continues the first one's journal."""
    monkeypatch.setattr(comparison, "warehouse_task", lambda _home, name, **_kwargs: task(name))
    arguments = ["--home", str(tmp_path), "tune", "ease", "--date", "2026-06-30", "--trials"]

    first, second = (CliRunner().invoke(main, [*arguments, n]) for n in ("2", "3"))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stderr.count("trial ") == 2
    assert second.stderr.count("trial ") == 1
    section = tomllib.loads(second.stdout)["recommenders"]["ease"]
    assert EASEConfig(**section) == EASEConfig(**json.loads(json.dumps(section)))
    assert "best of 3 trials" in second.stdout
    assert list((tmp_path / "models" / "tuning").glob("ease-*.journal"))
