"""Printed output about models: quality, comparison, tuning, simulation, training, explanation."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from rich.table import Column, Table

from recsys.cli.show.tables import GAP, frame, out, relative
from recsys.feedback.loop import last_week
from recsys.pipeline.plan import results
from recsys.pipeline.run import Run
from recsys.recipe import POPULARITY_BASELINE
from recsys.rerank.ablation import NDCG_LOSS

if TYPE_CHECKING:
    from recsys.audio.training.train import ModelCard
    from recsys.experiments.comparison import Comparison
    from recsys.experiments.foreign_lists import ImportedLists
    from recsys.experiments.tuning import TuningResult
    from recsys.published.explain import Explanation
    from recsys.published.vectors import Vectors


def trained(card: "ModelCard", folder: Path) -> None:
    """Print which recordings an encoder was trained on, and how to use it."""
    out.print(f"Trained on {card.n_trained:,} recordings; {card.n_unreadable:,} more could not be decoded")
    out.print(f"Consent: {card.n_granted:,} granted, {card.n_unknown:,} unknown, {card.n_denied:,} denied")
    named = json.dumps(str(folder), ensure_ascii=False)
    out.print(
        f"To use it, set encoder = {named} under [audio] in recipe.toml and scan again. Version: {card.version}",
        soft_wrap=True,
    )


METRICS = {  # metric -> its heading, and its meaning as a mean over listeners
    "ndcg": ("nDCG@{k}", "how high the tracks that were played later are ranked; 1 is best"),
    "recall": ("recall@{k}", "share of the tracks played later that are among the {k}"),
    "hit_rate": ("hits@{k}", "share of listeners who later played at least one of the {k}"),
}
EFFECTS = {  # metric -> its heading, and its meaning
    "intra_list_diversity": ("diversity", "how different a list's tracks are; 0: all alike, 1: nothing in common"),
    "miscalibration": ("genre gap", "distance of the list's genre mix from the listener's history; 0: the same"),
    "popularity_lift": ("lift", "how much more popular the list is than the history; 1: twice as popular"),
    "exposure_gini": ("Gini", "how unevenly exposure is distributed; near 1: a few tracks get all of it"),
}


def quality(run: Run) -> None:
    """Print the metrics of each recommender and the popularity baseline, and whether another one is better."""
    metrics = pl.read_parquet(results()["run_metrics"].path(run))
    ours, is_model = run.recipe.recommender, ~pl.col("recommender").str.contains("+", literal=True)
    found = metrics.filter(is_model, metric="ndcg").sort("value", descending=True)
    if found.is_empty():
        track = "a track that was new to them" if run.recipe.export.new_only else "anything"
        out.print(f"No model was evaluated: no listener from before the test window played {track} in it.")
        return
    k, n_users = found["k"][0], found["n_users"][0]
    known = "" if run.recipe.export.new_only else ", known tracks included"
    out.print(f"Evaluated on {n_users:,} listeners, on days after those used for training{known}:")
    frame(_qualities(metrics, found, ours))
    _meanings({name: meaning for name, meaning in METRICS.items() if name in metrics["metric"]}, k)
    high = found.row(by_predicate=pl.col("recommender") == ours, named=True)["high"]
    better = found.filter(pl.col("recommender").is_in(run.recipe.names), pl.col("low") > high)["recommender"]
    if len(better):
        would = f'To export it, set recommender = "{better[0]}" in recipe.toml'
        out.print(f"{better[0]} is significantly better on these days. {would}", soft_wrap=True)
    if NDCG_LOSS in metrics["metric"]:
        out.print("\nEffect of the rerank rules, each alone and all together:")
        frame(_rules(metrics, ours))
        _meanings(EFFECTS, k)


def _qualities(metrics: pl.DataFrame, found: pl.DataFrame, ours: str) -> pl.DataFrame:
    """Return the metrics of each recommender in `found`, and its role in this run."""
    marks = {ours: "exported", POPULARITY_BASELINE: "popularity baseline", "champion": "published before"}
    k = found["k"][0]
    wide = metrics.pivot("metric", index="recommender", values="value")
    others = [name for name in METRICS if name in wide.columns and name != "ndcg"]
    return found.join(wide, on="recommender", maintain_order="left").select(
        "recommender",
        pl.col("value").round(4).alias(METRICS["ndcg"][0].format(k=k)),
        pl.format("{} to {}", pl.col("low").round(4), pl.col("high").round(4)).alias("95 % interval"),
        *(pl.col(name).round(4).alias(METRICS[name][0].format(k=k)) for name in others),
        pl.col("recommender").replace_strict(marks, default="").alias(""),
    )


def _meanings(metrics: Mapping[str, tuple[str, str]], k: int) -> None:
    """Print the meaning of each heading."""
    table = Table.grid(Column(), Column(), padding=(0, GAP, 0, 0))
    for heading, meaning in metrics.values():
        table.add_row(f"  {heading.format(k=k)}", meaning.format(k=k))
    out.print(table, style="dim")


def _rules(metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """Return the metrics of a recommender's lists without rerank rules, with each rule and with all rules."""
    is_own = (pl.col("recommender") == name) | pl.col("recommender").str.starts_with(f"{name}+")
    wide = metrics.filter(is_own).pivot("metric", index="recommender", values=["value", "low", "high"])
    price = pl.format("{} ({} to {})", *(_percent(f"{part}_{NDCG_LOSS}") for part in ("value", "low", "high")))
    return wide.sort("recommender").select(
        pl.col("recommender").str.strip_prefix(f"{name}+").alias("lists"),
        price.fill_null("").alias("nDCG loss, %"),
        *(pl.col(f"value_{metric}").round(3).alias(heading) for metric, (heading, _) in EFFECTS.items()),
    )


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(1) + 0.0  # adding 0.0 turns -0.0 into 0.0


def compared(comparison: "Comparison") -> None:
    """Print each recommender's main metrics on the test split, best first, and its cost."""
    k, cut = comparison.k, comparison.protocol.test
    wide = comparison.metrics().pivot("metric", index="recommender", values=["value", "low", "high"])
    paired = comparison.compare_with(comparison.best()).select("recommender", "difference", "low", "high", "p_holm")
    costs = pl.DataFrame([{"recommender": name, **cost} for name, cost in comparison.costs.items()], strict=False)
    joined = wide.join(paired, on="recommender", how="left").join(costs, on="recommender")
    rows = joined.sort("value_ndcg", descending=True).select(
        "recommender",
        pl.col("value_ndcg").round(4).alias(f"nDCG@{k}"),
        pl.col("value_recall").round(4).alias(f"recall@{k}"),
        pl.format("{} [{}, {}]", *(pl.col(end).round(3) for end in ("difference", "low", "high"))).alias("to the best"),
        pl.col("p_holm").round(4).alias("p"),
        pl.col("train_cpu_seconds").round(1).alias("fit CPU-s"),
        pl.col("listeners_per_second").round(0).cast(pl.Int64).alias("lists/s"),
    )
    n_judged = len(comparison.rankings[comparison.best()]["user_id"].unique())
    out.print(
        f"Protocol {comparison.protocol.name}, full ranking of {len(cut.train.tracks):,} tracks for {n_judged:,} "
        "listeners. To the best: difference in nDCG with its paired 95 % interval; p: permutation test by listener, "
        "Holm-adjusted.",
        soft_wrap=True,
    )
    for line in _data(comparison.data()):
        out.print(f"  {line}", soft_wrap=True)
    frame(rows)


ORDERS = {
    "time": "timestamps tell which plays of a listener are later",
    "rows": "rows tell which plays of a listener are later",
    "none": "it is not known which plays of a listener are later",
}


def _data(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines on what a comparison has read."""
    yield f"order: {ORDERS[data['order']]}"
    left_out = f"{data['n_cold_listeners']:,} listeners without training data, {data['n_repeats']:,} repeated pairs"
    yield f"left out of the test: {left_out}; tracks without training data, not left out: {data['n_cold_tracks']:,}"
    yield f"features: {data['n_tracks_with_features']:,} tracks, {data['n_listeners_with_features']:,} listeners"
    yield from (f"warning: {text}" for text in data["warnings"])


def simulated(weeks: pl.DataFrame, page: Path) -> None:
    """Print the effects of each rerank rule and of exploration in the last simulated week, and the report's path."""
    table = last_week(weeks)
    plain = {name: name.removeprefix("exposure ").rpartition("=")[2].replace("_", " ") for name in table.columns}
    frame(table.rename(plain).with_columns(pl.selectors.float().round(3)))
    out.print(f"\nReport  {relative(page)}")


def tuned(name: str, found: "TuningResult") -> None:
    """Print the best settings found, as a section of a recipe."""
    out.print(f"# nDCG {found.validation_ndcg:.4f} on the validation period, the best of {found.n_trials} trials")
    out.print(f"[recommenders.{name}]")
    for setting, value in asdict(found.config).items():
        out.print(f"{setting} = {json.dumps(value)}")


def vectors(found: Sequence["Vectors"]) -> None:
    """Print the vectors that can be exported."""
    columns = ("name", "n_tracks", "n_dimensions", "metric")
    frame(pl.DataFrame([(one.name, *one.tracks.shape, one.metric) for one in found], columns, orient="row"))


def imported(found: "ImportedLists") -> None:
    """Print what was imported, and the section of a recipe that names it."""
    n_unknown = f"{found.n_unknown_listeners:,} listeners and {found.n_unknown_tracks:,} tracks"
    out.print(f"# {found.n_rows:,} rows of {found.n_listeners:,} listeners, made from listening up to {found.until}")
    out.print(f"# left out, as the home does not know them: {n_unknown}", soft_wrap=True)
    if found.n_unheard_tracks:
        text = f"# {found.n_unheard_tracks:,} tracks were unheard then: new releases, or lists that know later days"
        out.print(text, soft_wrap=True)
    out.print("[recommenders.imported]", markup=False)
    out.print(f"lists = {json.dumps(str(found.folder))}", markup=False, soft_wrap=True)


def explained(explanation: "Explanation", n: int) -> None:
    """
    Print a track's rank for a listener, and the played tracks that contributed most, for and against.

    The first of them is the reason in lists, if it speaks for the track.
    """
    place = "not in the published list" if explanation.rank is None else f"rank {explanation.rank}"
    out.print(f"{explanation.track}: {place}{f', {explanation.reason}' if explanation.reason else ''}", soft_wrap=True)
    out.print(explanation.rank_explanation, soft_wrap=True)
    contributions = explanation.contributions
    if contributions.is_empty():
        out.print("No played track contributes to it: the model has learned from none of this listener's plays.")
        return
    others = contributions.slice(1).sort(pl.col("contribution").abs(), descending=True, maintain_order=True).head(n - 1)
    frame(pl.concat([contributions.head(1), others.sort("contribution", descending=True, maintain_order=True)]))
    out.print(
        f"{min(n, contributions.height):,} of {contributions.height:,} tracks of the listener, largest contributions"
    )
