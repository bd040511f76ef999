"""
Search of a recommender's settings on a validation cut: Optuna proposes, full ranking decides, every trial is kept.

What may be searched stands in the configs (`recommenders.parts.search_space`). The defaults are the first trial,
and the same with age weighing nothing the second, so that a search never ends below either. Nobody here looks at a
test cut.
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
from recsys.recommenders.parts.search_space import Choice, Range, ranges
from recsys.recommenders.scorer import scorer_class

optuna.logging.set_verbosity(optuna.logging.WARNING)


@dataclass(frozen=True)
class Budget:
    """
    How long to search.

    Attributes:
        trials: Settings tried, the defaults among them.
        cpu_seconds: No trial begins after so much work; infinity: `trials` alone decides, so that a search repeats
            exactly on any machine.
    """

    trials: int
    cpu_seconds: float = float("inf")


@dataclass(frozen=True, eq=False)
class Task:
    """
    What a search is for.

    Attributes:
        name: Recommender.
        cut: Training part to fit, later choices to find.
        filters: What a ranking may not name, of the cut's tracks.
        k: Places that nDCG counts.
        seed: Of the search.
    """

    name: str
    cut: Split
    filters: Filters
    k: int = 10
    seed: int = 7


@dataclass(frozen=True)
class Tuned:
    """The best settings found, their nDCG on the cut, and how many were tried."""

    config: Any
    value: float
    n_trials: int


def tune(
    task: Task,
    budget: Budget,
    *,
    journal: Path | None = None,
    tell: Callable[[dict[str, Any]], None] = lambda _event: None,
) -> Tuned:
    """
    Search the settings of one recommender.

    Args:
        task: Which, on what.
        budget: How long; trials that `journal` holds already count.
        journal: File that keeps every trial, so that an interrupted search goes on where it stopped.
        tell: Called after each trial.

    Raises:
        InputError: Nobody chose anything in the cut.
    """
    if not len(evaluated_users(task.cut)):
        raise InputError(f"{task.name}: nobody chose anything new in the validation cut; take a longer or later one")
    study = _study(task, journal)
    started = time.process_time()
    while len(_finished(study)) < (budget.trials if ranges(_config_class(task.name)) else 1):
        if _finished(study) and time.process_time() - started > budget.cpu_seconds:
            break
        study.optimize(lambda trial: judged(task, proposed(trial, _config_class(task.name))), n_trials=1)
        finished = _finished(study)
        tell({"event": "trial", "recommender": task.name, "trial": len(finished), "of": budget.trials,
              "value": round(finished[-1].value or 0, 4), "best": round(study.best_value, 4)})  # fmt: skip
    best = study.best_trial
    return Tuned(
        proposed(optuna.trial.FixedTrial(best.params), _config_class(task.name)),
        study.best_value,
        len(_finished(study)),
    )


def judged(task: Task, config: Any) -> float:
    """Fit with these settings and return mean nDCG on the cut."""
    model = Recommender.named(task.name, config).fit(task.cut.train)
    ids = task.cut.train.users.ids(evaluated_users(task.cut))
    ranking = model.recommend(ids, task.k, filters=task.filters)
    return float(values_per_user(ranking, task.cut, ndcg_at_k, k=task.k).mean())


def proposed(trial: optuna.trial.BaseTrial, config_class: type[Any]) -> Any:
    """Return the config of a trial, settings without a range at their defaults."""
    return config_class(**{name: _suggested(trial, name, space) for name, space in _spaces(config_class).items()})


def _suggested(trial: optuna.trial.BaseTrial, name: str, space: tuple[Range | Choice, Any]) -> Any:
    limits, default = space
    if isinstance(limits, Choice):
        return trial.suggest_categorical(name, limits.values)
    if isinstance(default, int):
        return trial.suggest_int(name, int(limits.low), int(limits.high), log=limits.log)
    return trial.suggest_float(name, limits.low, limits.high, log=limits.log)


def _spaces(config_class: type[Any]) -> dict[str, tuple[Range | Choice, Any]]:
    defaults = {each.name: each.default for each in fields(config_class)}
    return {name: (limits, defaults[name]) for name, limits in ranges(config_class).items()}


def _study(task: Task, journal: Path | None) -> optuna.Study:
    """Open the search, or begin it with the settings that are always tried first."""
    storage: BaseStorage = InMemoryStorage()
    if journal is not None:
        journal.parent.mkdir(parents=True, exist_ok=True)
        storage = JournalStorage(JournalFileBackend(str(journal)))
    study = optuna.create_study(storage=storage, study_name=task.name, direction="maximize", load_if_exists=True)
    study.sampler = optuna.samplers.TPESampler(seed=task.seed + len(study.trials), n_startup_trials=5)
    for settings in _first(_config_class(task.name)):
        if settings not in _asked(study):
            study.enqueue_trial(settings)
    return study


def _asked(study: optuna.Study) -> list[dict[str, Any]]:
    """Return the settings that were tried or will be; those of a trial that was cut off are neither."""
    states = [optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.WAITING]
    trials = study.get_trials(deepcopy=False, states=states)
    return [trial.system_attrs.get("fixed_params", {}) | trial.params for trial in trials]


def _first(config_class: type[Any]) -> list[dict[str, Any]]:
    defaults = {name: default for name, (_, default) in _spaces(config_class).items()}
    return [defaults, defaults | {"recency": 0.0}] if "recency" in defaults else [defaults]


def _finished(study: optuna.Study) -> list[optuna.trial.FrozenTrial]:
    return study.get_trials(deepcopy=False, states=[optuna.trial.TrialState.COMPLETE])


def _config_class(name: str) -> type[Any]:
    found: type[Any] = scorer_class(name).config_class
    return found
