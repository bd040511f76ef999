"""The search of settings: what is tried first, that it repeats and goes on, and what it may look at."""

import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.dataset.interactions import Interactions
from recsys.dataset.splits import Split
from recsys.errors import BadRecipe, InputError
from recsys.experiments import comparison, tuning
from recsys.experiments.tuning import Budget, Task, Tuned
from recsys.recommenders.base import Recommender
from recsys.recommenders.ease import EASEConfig
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.search_space import Choice, Range, ranges
from recsys.recommenders.popular import PopularConfig
from recsys.recommenders.scorer import scorer_class, scorer_names


def cut() -> Split:
    """Ten listeners of eight tracks each, in an order of their own: six to learn from, two to find."""
    rows = [
        {"user_id": f"u{user}", "track_id": f"t{(user * 3 + place * 5) % 12:02}", "strength": 1.0,
         "age_days": 30.0 - 3 * place, "place": place}
        for user in range(10) for place in range(8)
    ]  # fmt: skip
    pairs, catalogue = pl.DataFrame(rows), pl.DataFrame({"track_id": [f"t{n:02}" for n in range(12)]})
    train = Interactions.of(pairs.filter(pl.col("place") < 6).drop("place"), catalogue=catalogue)
    return Split.of(train, pairs.filter(pl.col("place") >= 6).select("user_id", "track_id"))


def task(name: str = "ease", **given: Any) -> Task:
    """Ask for the settings of one recommender on that cut."""
    split = cut()
    return Task(name, split, Filters.of(split.train), k=3, **given)


def value_of(config: EASEConfig) -> float:
    """Stand in for nDCG."""
    return 1.0 - abs(config.side_weight - 40) / 100


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Judge by a formula instead of a fit, best at a side weight of 40, and return the list of all settings tried."""
    seen: list[Any] = []

    def judged(_task: Task, config: Any) -> float:
        seen.append(config)
        return value_of(config)

    monkeypatch.setattr(tuning, "judged", judged)
    return seen


def test_defaults_come_first_and_then_without_age(tried: list[Any]) -> None:
    """The first trial are the defaults, the second the same with age weighing nothing; then the search begins."""
    tuning.tune(task(), Budget(trials=4))

    assert tried[0] == EASEConfig()
    assert tried[1] == EASEConfig(recency=0.0)
    assert len({*tried}) == 4


def test_every_setting_stays_in_its_range(tried: list[Any]) -> None:
    """Nothing is tried outside the range that stands beside the default; what has none stays as it is."""
    tuning.tune(task(), Budget(trials=8))

    for name, limits in ranges(EASEConfig).items():
        assert isinstance(limits, Range)
        assert all(limits.low <= getattr(config, name) <= limits.high for config in tried)
    assert {config.max_tracks for config in tried} == {EASEConfig().max_tracks}


def test_the_best_is_returned(tried: list[Any]) -> None:
    """Settings and value of the best trial, never below that of the defaults."""
    found = tuning.tune(task(), Budget(trials=8))

    values = [value_of(config) for config in tried]
    assert found == Tuned(tried[int(np.argmax(values))], max(values), 8)
    assert found.value >= values[0]


def test_same_seed_same_search(tried: list[Any]) -> None:
    """The same settings are tried in the same order; another seed tries others."""
    for seed in (7, 7, 8):
        tuning.tune(task(seed=seed), Budget(trials=6))

    assert tried[:6] == tried[6:12]
    assert tried[:2] == tried[12:14]
    assert tried[2:6] != tried[14:]


def test_a_search_goes_on_where_it_stopped(tried: list[Any], tmp_path: Path) -> None:
    """Trials in the journal count: after three, five are two more; and once there, nothing is tried again."""
    journal = tmp_path / "tuning" / "ease.journal"

    first = tuning.tune(task(), Budget(trials=3), journal=journal)
    whole = tuning.tune(task(), Budget(trials=5), journal=journal)
    again = tuning.tune(task(), Budget(trials=5), journal=journal)

    assert (first.n_trials, whole.n_trials, len(tried)) == (3, 5, 5)
    assert len({*tried}) == 5
    assert again == whole


def test_a_trial_that_was_cut_off_is_tried_again(
    tried: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A search killed in its very first trial still tries the defaults, so that it cannot end below them."""
    journal, judged = tmp_path / "ease.journal", tuning.judged

    def killed(_task: Task, _config: Any) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(tuning, "judged", killed)
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(task(), Budget(trials=3), journal=journal)
    monkeypatch.setattr(tuning, "judged", judged)
    found = tuning.tune(task(), Budget(trials=3), journal=journal)

    assert EASEConfig() in tried
    assert EASEConfig(recency=0.0) in tried
    assert found.n_trials == len(tried) == 3


def test_every_trial_is_told(tried: list[Any]) -> None:
    """One event a trial, numbered, with the best so far."""
    events: list[dict[str, Any]] = []

    tuning.tune(task(), Budget(trials=3), tell=events.append)

    assert [(event["event"], event["trial"], event["of"]) for event in events] == [("trial", n, 3) for n in (1, 2, 3)]
    assert [event["best"] for event in events] == list(np.maximum.accumulate([event["value"] for event in events]))


def test_no_trial_begins_after_the_work_is_spent(tried: list[Any]) -> None:
    """One is always tried: the defaults."""
    found = tuning.tune(task(), Budget(trials=5, cpu_seconds=0.0))

    assert (found.config, found.n_trials) == (EASEConfig(), 1)


def test_a_model_without_ranges_is_tried_once() -> None:
    """There is nothing to search: its defaults are judged, whatever the budget."""
    found = tuning.tune(task("popular"), Budget(trials=5))

    assert (found.config, found.n_trials) == (PopularConfig(), 1)
    assert 0 < found.value < 1


def test_settings_are_judged_on_the_cut_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each trial fits the cut's training part and nothing else, and its value is what a fit by hand gives."""
    asked, fitted, original = task(), [], Recommender.fit

    def spied(self: Recommender[Any], interactions: Interactions, **given: Any) -> Recommender[Any]:
        fitted.append((interactions, given))
        return original(self, interactions, **given)

    monkeypatch.setattr(Recommender, "fit", spied)
    found = tuning.tune(asked, Budget(trials=3))

    assert len(fitted) == 3
    assert all(interactions is asked.cut.train and not given for interactions, given in fitted)
    assert found.value == tuning.judged(asked, found.config)
    assert found.value >= tuning.judged(asked, EASEConfig())


def test_a_cut_without_a_choice_is_refused() -> None:
    """Where nobody chose anything there is nothing to search by, and the message says so instead of trying for ever."""
    train = cut().train
    empty = Split.of(train, pl.DataFrame(schema={"user_id": pl.String, "track_id": pl.String}))

    with pytest.raises(InputError, match="ease: nobody chose anything new in the validation cut"):
        tuning.tune(Task("ease", empty, Filters.of(train)), Budget(trials=2))


def test_an_unknown_recommender_is_refused() -> None:
    """With the nearest known name."""
    with pytest.raises(BadRecipe, match="Did you mean 'ease'"):
        tuning.tune(task("eas"), Budget(trials=1))


def test_candidates_only_take_away() -> None:
    """A track must be a candidate and allowed before."""
    filters = Filters.of(cut().train)
    ids = filters.tracks.ids()

    found = filters.only(ids.gather_every(2)).only([*ids[:4], "a track that nobody knows"])

    assert found.allowed.tolist() == [[n in (0, 2) for n in range(12)]]


@pytest.mark.parametrize("name", scorer_names())
def test_defaults_lie_in_their_ranges(name: str) -> None:
    """Of every recommender: the first trial is a legal one, and whole numbers have whole ends."""
    config_class = scorer_class(name).config_class
    defaults = asdict(config_class())

    for setting, limits in ranges(config_class).items():
        if isinstance(limits, Choice):
            assert defaults[setting] in limits.values
        else:
            assert limits.low <= defaults[setting] <= limits.high
            assert not limits.log or limits.low > 0


def test_the_command_prints_a_section_of_a_recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`recsys tune` prints settings that a recipe takes, and the second call goes on from the first one's journal."""
    monkeypatch.setattr(comparison, "task_of", lambda _home, name, **_told: task(name))
    words = ["--home", str(tmp_path), "tune", "ease", "--date", "2026-06-30", "--trials"]

    first, second = (CliRunner().invoke(main, [*words, n]) for n in ("2", "3"))

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stderr.count("trial ") == 2
    assert second.stderr.count("trial ") == 1
    section = tomllib.loads(second.stdout)["recommenders"]["ease"]
    assert EASEConfig(**section) == EASEConfig(**json.loads(json.dumps(section)))
    assert "best of 3 trials" in second.stdout
    assert list((tmp_path / "models" / "tuning").glob("ease-*.journal"))
