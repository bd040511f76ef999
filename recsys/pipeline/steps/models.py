"""Steps for the recommenders: fit on the training window, evaluate on the test window, then refit on all data."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
from typing_extensions import override

from recsys import files
from recsys.columns import BASELINE, DIFFERENCE, HIGH, LOW, N_USERS, P_VALUE, RUN_ID
from recsys.dataset.interactions import Interactions
from recsys.dataset.lyric_features import SUNG_IN, WORDS
from recsys.dataset.sound_features import SOUND
from recsys.dataset.splits import Split
from recsys.errors import SetupError
from recsys.evaluate.fairness import fairness_report
from recsys.evaluate.groups import GROUP_METRICS_COLUMNS, groups_as_of, report_by_group
from recsys.evaluate.ranking import ndcg_at_k
from recsys.evaluate.report import RUN_METRICS_COLUMNS, evaluated_users, report, values_per_user
from recsys.evaluate.settings import EvaluationSettings
from recsys.evaluate.significance import difference_interval, paired_p_value
from recsys.pipeline.results import Artefact, Outcome, Result, step, whole_folder
from recsys.pipeline.run import Event
from recsys.recipe import POPULARITY_BASELINE, Recipe
from recsys.recommenders.base import Recommender
from recsys.recommenders.parts.filters import Filters
from recsys.recommenders.scorer import scorer_class
from recsys.releases.gate import MIN_EVALUATED
from recsys.rerank.ablation import ALL, before_and_after, ndcg_losses
from recsys.rerank.base import RerankContext

CHAMPION = "champion"


class Models(Mapping[str, Recommender[Any]]):
    """The fitted recommenders in a folder, by name; each is loaded when it is accessed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @override
    def __getitem__(self, name: str) -> Recommender[Any]:
        """Load a recommender."""
        return Recommender.load(self._folder / name)

    @override
    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, sorted."""
        return iter(sorted(path.name for path in self._folder.iterdir()))

    @override
    def __len__(self) -> int:
        """Return the number of recommenders."""
        return len(list(iter(self)))


def _save_all(folder: Path, models: Mapping[str, Recommender[Any]]) -> None:
    for name, model in models.items():
        model.save(folder / name)


def _save_model(folder: Path, made: tuple[Recommender[Any], Event, str]) -> None:
    """Save a model with its provenance and its model card."""
    model, provenance, card = made
    model.save(folder)
    files.write_json(folder / "provenance.json", provenance)
    files.write_text(folder / "card.md", card)


TRIAL_MODELS = Artefact(  # fitted on the training window
    "trial_models", read=Models, write=whole_folder(_save_all), lifetime="run"
)
MODEL = Artefact(
    "model",
    read=Recommender.load,
    write=whole_folder(_save_model),
    location=lambda run: run.model,
)
RUN_METRICS = Result("run_metrics", (RUN_ID, *RUN_METRICS_COLUMNS), history="all runs")
GROUP_METRICS = Result("group_metrics", (RUN_ID, *GROUP_METRICS_COLUMNS), history="all runs")
DIFFERENCES = Result(  # to the champion and the popularity baseline
    "metric_differences", (BASELINE, DIFFERENCE, LOW, HIGH, N_USERS, P_VALUE), history=None
)


@step(TRIAL_MODELS)
def train(
    *,
    split: Split,
    validation: Split,
    track_groups: pl.DataFrame,
    champion: Event | None,
    recipe: Recipe,
    as_of: date,
    note: Callable[..., None],
) -> Outcome:
    """
    Fit the recipe's recommenders on the training window, and the champion too if its settings differ.

    If no listener can be evaluated, no model is fitted, and a warning says so.
    """
    context = RerankContext.of_groups(split.train, track_groups)
    for named in (named for rule in recipe.rerank.values() for named in rule.named_groups):
        context.members(named)  # raises for a misspelt group before the long training
    models, n_evaluated = {}, len(evaluated_users(split))
    if n_evaluated < MIN_EVALUATED:
        first = as_of - timedelta(days=recipe.evaluation.test_days - 1)
        track = "a track that is new to them" if recipe.export.new_only else "a track"
        note(event="warning", text=_few_evaluated(n_evaluated, track, first, as_of))
    for name, model in _contenders(recipe, champion, note).items() if n_evaluated else ():
        note(event="fit", recommender=name)
        try:
            models[name] = model.fit(split.train, validation=validation)
        except SetupError as missing:  # imported lists that were not delivered
            if name == recipe.recommender:
                raise
            note(event="warning", text=f"{name} is not evaluated: {missing}")
    counts = {
        "recommenders": sorted(models),
        "champion": None if champion is None else str(champion["run"]),
        "n_pairs": split.train.matrix.nnz,
        "n_listeners": len(split.train.users),
        "n_tracks": len(split.train.tracks),
    }
    return Outcome({TRIAL_MODELS.name: models}, counts)


def _few_evaluated(n: int, track: str, first: date, last: date) -> str:
    """Say what the run cannot do with only `n` evaluated listeners in its test window."""
    found = f"in the test window {first} to {last}, {n} listeners from before it play {track}"
    effect = "the gate does not compare the models" if n else "no model is evaluated"
    return f"{effect}: {found}; at least {MIN_EVALUATED} are needed. If there should be more, check --date"


def _contenders(recipe: Recipe, champion: Event | None, note: Callable[..., None]) -> dict[str, Recommender[Any]]:
    """Return the unfitted recommenders: those of the recipe, and the champion unless its settings are the same."""
    models = {name: Recommender.named(name, recipe.configs[name]) for name in recipe.names}
    if champion is None:
        return models
    try:
        config = scorer_class(champion["name"]).config_class(**champion["config"])
    except TypeError as changed:  # the settings were saved by another version
        note(event="warning", text=f"the champion cannot be fitted for the comparison: {changed}")
        return models
    if (champion["name"], config) == (recipe.recommender, recipe.configs[recipe.recommender]):
        note(event="fit", recommender=CHAMPION, same_as=recipe.recommender)
        return models
    return models | {CHAMPION: Recommender.named(champion["name"], config)}


@step(RUN_METRICS, GROUP_METRICS, DIFFERENCES)
def evaluate(
    *, split: Split, trial_models: Mapping[str, Recommender[Any]], track_groups: pl.DataFrame, recipe: Recipe
) -> Outcome:
    """Evaluate all fitted recommenders on the test window, for the same listeners; no metrics if none was fitted."""
    if not trial_models:
        return Outcome(
            {table.name: table.read([]) for table in (RUN_METRICS, GROUP_METRICS, DIFFERENCES)}, {"n_judged": 0}
        )
    k, own = recipe.evaluation.k, recipe.recommender
    judged = split.train.users.ids(evaluated_users(split))
    filters = Filters.for_split(split)
    models = dict(trial_models)
    rankings = {name: model.recommend(judged, k, filters=filters) for name, model in models.items()}
    candidates = models[own].recommend(judged, max(k, recipe.export.candidates), filters=filters)
    groups = groups_as_of(track_groups, split.train)
    context = RerankContext.of_groups(split.train, groups)
    after = before_and_after(own, candidates, recipe.rerank, context, k)
    shown = {name: ranking for name, ranking in after.items() if name in {own, f"{own}+{ALL}"}}
    differences = _differences(rankings, split, recipe)
    counts = {
        "n_judged": len(judged),
        "n_cold_listeners": split.n_cold_users,
        "n_cold_tracks": split.n_cold_tracks,
        "p_values": dict(differences.select("baseline", "p_value").iter_rows()),
    }
    made = {
        RUN_METRICS.name: pl.concat([report(rankings | after, split, k=k), ndcg_losses(after, own, split, k=k)]),
        GROUP_METRICS.name: pl.concat([report_by_group(shown, split, k=k), fairness_report(shown, split, groups, k=k)]),
        DIFFERENCES.name: differences,
    }
    return Outcome(made, counts)


def _differences(rankings: dict[str, pl.DataFrame], split: Split, recipe: Recipe) -> pl.DataFrame:
    """Compare the nDCG of the recipe's recommender with champion and popularity baseline, paired by listener."""
    own, seed = recipe.recommender, recipe.evaluation.seed
    values = {
        name: values_per_user(ranking, split, ndcg_at_k, k=recipe.evaluation.k) for name, ranking in rankings.items()
    }
    pairs = {name: (values[own], values[name]) for name in (CHAMPION, POPULARITY_BASELINE) if name in values}
    rows = [
        (name, *difference_interval(*pair, seed=seed), paired_p_value(*pair, seed=seed))
        for name, pair in pairs.items()
        if name != own
    ]
    return pl.DataFrame(rows, DIFFERENCES.schema, orient="row")


@step(MODEL)
def refit(
    *,
    interactions: Interactions,
    split: Split,
    trial_models: Mapping[str, Recommender[Any]],
    run_metrics: pl.DataFrame,
    lake_fingerprint: str,
    recipe: Recipe,
    run_id: str,
    as_of: date,
) -> Outcome:
    """
    Fit the recommender of the recipe on all data up to the run's date.

    If no listener likes any track, there is nothing to learn from: the model is the popularity baseline, without tracks
    that are popular.
    """
    name = recipe.recommender if interactions.matrix.nnz else POPULARITY_BASELINE
    model = Recommender.named(name, recipe.configs[name])
    model.fit(interactions, validation=split, load_fitted=lambda: trial_models[name])
    metrics = run_metrics.filter(recommender=name).sort("metric")
    provenance = {
        "run_id": run_id,
        "as_of": str(as_of),
        "inputs": lake_fingerprint,
        "metrics": dict(metrics.select("metric", "value").iter_rows()),
    }
    card = _card(model, interactions, metrics.drop_nulls("value"), recipe.evaluation, provenance)
    counts = {"recommender": name, "n_pairs": interactions.matrix.nnz, "n_listeners": len(model.users)}
    return Outcome({MODEL.name: (model, provenance, card)}, counts)


def _contents(model: Recommender[Any], interactions: Interactions) -> str:
    """Return which contents of tracks the model read, and with which consent."""
    if not model.scorer.reads_contents:
        return "It read no metadata, sound or lyrics of tracks, so that consent to training does not apply."
    features = interactions.track_features
    groups = {"sound": [SOUND], "lyrics": [WORDS, SUNG_IN]}
    metadata = set(features.columns()) - {column for columns in groups.values() for column in columns}
    numbers = {group: features.n_rows_with(*columns) for group, columns in (groups | {"metadata": metadata}).items()}
    read = [f"the {group} of {number:,} tracks" for group, number in numbers.items() if number]
    if not read:
        return "It reads contents of tracks, but neither metadata, sound nor lyrics were known."
    needs_consent = numbers["sound"] or numbers["lyrics"]
    granted = "Consent to training was granted for all of this sound and these lyrics; metadata needs none."
    consent = granted if needs_consent else "Metadata needs no consent to training."
    return f"It also read {', '.join(read)}, and nothing else of tracks. {consent}"


def _listeners(model: Recommender[Any], interactions: Interactions) -> str:
    """Return what the model read of listeners besides their plays."""
    fallback = "Listeners without a history get what is popular in their country and age band."
    columns = sorted(set(interactions.user_features.columns()))
    if not (model.scorer.reads_listeners and columns):
        return fallback
    return f"It learned from what is known of listeners ({', '.join(columns)}). {fallback}"


def _card(
    model: Recommender[Any],
    interactions: Interactions,
    metrics: pl.DataFrame,
    evaluation: EvaluationSettings,
    provenance: Event,
) -> str:
    results = "\n".join(f"- {row['metric']}: {row['value']:.4f}" for row in metrics.iter_rows(named=True))
    name, settings = model.scorer.name, asdict(model.scorer.config)
    return f"""# {name}, run {provenance["run_id"]}

Trained on listening logs up to {provenance["as_of"]}: {interactions.matrix.nnz:,} pairs of
{len(interactions.users):,} listeners and {len(interactions.tracks):,} tracks. {_contents(model, interactions)}
{_listeners(model, interactions)}

Settings: {", ".join(f"{name} = {value}" for name, value in settings.items())}

Evaluated (k = {evaluation.k}) on the last {evaluation.test_days} days, fitted without them:

{results or "No listener could be evaluated."}
"""
