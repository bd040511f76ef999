"""
Tune the settings of a recommender on a validation split: Optuna maximises nDCG of full rankings.

The ranges are declared in the configs (`recommenders.parts.search_space`). The first trial uses the defaults, the
second the defaults without decay of old plays, the third those with decay by each listener's own order of plays; so the
result is never worse than any of them. Settings that cannot matter on the data, such as a decay where all plays have
the same age, are not searched. Test data is never used.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import optuna
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend

from recsys.dataset.splits import Split
from recsys.errors import InputError
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import evaluated_users, values_per_user
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.parts.search_space import Choice, Range, needs_met, ranges
from recsys.recommenders.scorer import scorer_class

optuna.logging.set_verbosity(optuna.logging.WARNING)

WITHOUT_DECAY = {"recency": 0.0}
OWN_ORDER = {"recency": 0.0, "rank_recency": 4.0, "window_weight": 3.0}  # where the latest few plays matter most


@dataclass(frozen=True)
class Budget:
    """
    Limits of the tuning of one recommender.

    Attributes:
        trials: Number of trials, including those with default settings.
        cpu_seconds: CPU time after which no further trial starts [s]. If infinite, only `trials` limits the search, and
            its result does not depend on the speed of the machine.
    """

    trials: int
    cpu_seconds: float = float("inf")


@dataclass(frozen=True, eq=False)
class TuningTask:
    """
    Which recommender to tune, and on which data.

    Attributes:
        name: The recommender.
        split: The validation split: interactions to fit on, and held-out tracks to evaluate on.
        filters: Filters for the recommended lists.
        k: Number of list positions that nDCG counts.
        seed: Seed of the search.
    """

    name: str
    split: Split
    filters: Filters
    k: int = 10
    seed: int = 7


@dataclass(frozen=True)
class TuningResult:
    """
    The result of tuning a recommender.

    Attributes:
        config: The best settings.
        validation_ndcg: Their mean nDCG on the validation split.
        n_trials: Number of finished trials.
    """

    config: Any
    validation_ndcg: float
    n_trials: int


def tune(
    task: TuningTask,
    budget: Budget,
    *,
    journal: Path | None = None,
    tell: Callable[[dict[str, Any]], None] = lambda _event: None,
) -> TuningResult:
    """
    Search for the best settings of one recommender.

    Args:
        task: The recommender and the validation split.
        budget: Limits of the search; trials that are already in `journal` count.
        journal: File that stores every trial, so that an interrupted search can be continued; None writes no file.
        tell: Called after each trial, for progress messages.

    Raises:
        InputError: The validation split has no held-out tracks.
    """
    if not len(evaluated_users(task.split)):
        raise InputError(
            f"{task.name}: the validation split has no held-out tracks that are not in its training part. Use a longer "
            "or later validation window, or another file validation"
        )
    study = _study(task, journal)
    started = time.process_time()
    while len(_finished(study)) < (budget.trials if _spaces(task) else 1):
        if _finished(study) and time.process_time() - started > budget.cpu_seconds:
            break
        study.optimize(lambda trial: validation_ndcg(task, trial_config(trial, task)), n_trials=1)
        finished = _finished(study)
        tell({"event": "trial", "recommender": task.name, "trial": len(finished), "of": budget.trials,
              "value": round(finished[-1].value or 0, 4), "best": round(study.best_value, 4)})  # fmt: skip
    best = study.best_trial
    return TuningResult(
        trial_config(optuna.trial.FixedTrial(best.params), task),
        study.best_value,
        len(_finished(study)),
    )


def validation_ndcg(task: TuningTask, config: Any) -> float:
    """Fit the recommender with a config, and return its mean nDCG on the validation split."""
    model = Recommender.named(task.name, config).fit(task.split.train)
    ids = task.split.train.users.ids(evaluated_users(task.split))
    ranking = model.recommend(ids, task.k, filters=task.filters)
    return float(values_per_user(ranking, task.split, ndcg_at_k, k=task.k).mean())


def trial_config(trial: optuna.trial.BaseTrial, task: TuningTask) -> Any:
    """Return the config that a trial proposes; settings that are not searched keep their defaults."""
    proposed = {name: _suggested(trial, name, space) for name, space in _spaces(task).items()}
    return _config_class(task.name)(**proposed)


def _suggested(trial: optuna.trial.BaseTrial, name: str, space: tuple[Range | Choice, Any]) -> Any:
    limits, default = space
    if isinstance(limits, Choice):
        return trial.suggest_categorical(name, limits.values)
    if isinstance(default, int):
        return trial.suggest_int(name, int(limits.low), int(limits.high), log=limits.log)
    return trial.suggest_float(name, limits.low, limits.high, log=limits.log)


def _spaces(task: TuningTask) -> dict[str, tuple[Range | Choice, Any]]:
    """Return range and default of each setting that matters on these interactions."""
    config_class = _config_class(task.name)
    defaults = {field.name: field.default for field in fields(config_class)}
    limits = ranges(config_class, needs_met(task.split.train))
    return {name: (limits_of, defaults[name]) for name, limits_of in limits.items()}


def _study(task: TuningTask, journal: Path | None) -> optuna.Study:
    """Open or create the study, and queue the settings of the first trials."""
    storage: BaseStorage = InMemoryStorage()
    if journal is not None:
        journal.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(storage=storage, study_name=task.name, direction="maximize", load_if_exists=True)
    study.sampler = optuna.samplers.TPESampler(seed=task.seed + len(study.trials), n_startup_trials=5)
    for settings in _first(task):
        if settings not in _known_settings(study):
            study.enqueue_trial(settings)
    return study


def _known_settings(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the settings of finished and queued trials, without those of interrupted trials."""
    states = [optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.WAITING]
    trials = study.get_trials(deepcopy=False, states=states)
    return [trial.system_attrs.get("fixed_params", {}) | trial.params for trial in trials]


def _first(task: TuningTask) -> list[dict[str, Any]]:
    defaults = {name: default for name, (_, default) in _spaces(task).items()}
    variants = [{}, *(variant for variant in (WITHOUT_DECAY, OWN_ORDER) if variant.keys() & defaults.keys())]
    first = [defaults | {name: variant[name] for name in variant if name in defaults} for variant in variants]
    return [settings for number, settings in enumerate(first) if settings not in first[:number]]


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def _config_class(name: str) -> type[Any]:
    config_class: type[Any] = scorer_class(name).config_class
    return config_class
