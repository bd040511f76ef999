"""What is printed of recommenders and encoders: quality, comparison, tuning, simulation, training, explanation."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from rich.table import Column, Table

from recsys.cli.show.tables import GAP, frame, out, relative
from recsys.feedback.loop import last_week
from recsys.pipeline.plan import results
from recsys.pipeline.run import Run
from recsys.recipe import FLOOR
from recsys.rerank.ablation import PRICE

if TYPE_CHECKING:
    from recsys.audio.training.train import ModelCard
    from recsys.experiments.comparison import Comparison
    from recsys.experiments.tuning import Tuned
    from recsys.published.explain import Explanation


def trained(card: "ModelCard", folder: Path) -> None:
    """Print what an encoder learned from, and how to use it."""
    out.print(f"Heard {card.n_heard:,} recordings; {card.n_unreadable:,} more cannot be decoded")
    out.print(f"Consent: {card.n_granted:,} granted, {card.n_unknown:,} unknown, {card.n_denied:,} denied")
    named = json.dumps(str(folder), ensure_ascii=False)
    out.print(f"Take it by the recipe ([audio] encoder = {named}), then scan again: {card.version}", soft_wrap=True)


METRICS = {  # metric -> its heading, and what it means, for a mean over listeners
    "ndcg": ("nDCG@{k}", "how high up the tracks stand that were played next; 1 is best"),
    "recall": ("recall@{k}", "share of the tracks played next that are among the {k}"),
    "hit_rate": ("hits@{k}", "share of listeners who played at least one of the {k} next"),
}
EFFECTS = {  # metric -> its heading, and what it means
    "intra_list_diversity": ("diversity", "how unlike a list's tracks are; 0 all alike, 1 nothing shared"),
    "miscalibration": ("genre gap", "distance to the listener's own mix of genres; 0 is the same"),
    "popularity_lift": ("lift", "how much better known than the listener's own tracks; 1 is twice"),
    "exposure_gini": ("Gini", "how unevenly tracks are shown; near 1 only a few of them are"),
}


def quality(run: Run) -> None:
    """Print how good each recommender was, beside the popularity floor, and which would be a better choice."""
    metrics = pl.read_parquet(results()["run_metrics"].path(run))
    ours, is_model = run.recipe.recommender, ~pl.col("recommender").str.contains("+", literal=True)
    found = metrics.filter(is_model, metric="ndcg").sort("value", descending=True)
    k, n_users = found["k"][0], found["n_users"][0]
    out.print(f"Judged on {n_users:,} listeners, on days that no model was trained on:")
    frame(_qualities(metrics, found, ours))
    _meanings({name: meaning for name, meaning in METRICS.items() if name in metrics["metric"]}, k)
    high = found.row(by_predicate=pl.col("recommender") == ours, named=True)["high"]
    better = found.filter(pl.col("recommender").is_in(run.recipe.names), pl.col("low") > high)["recommender"]
    if len(better):
        would = f'recommender = "{better[0]}" in recipe.toml would export it'
        out.print(f"{better[0]} found significantly more on these days: {would}", soft_wrap=True)
    if PRICE in metrics["metric"]:
        out.print("\nWhat the rules for lists change, each alone and all together (rerank):")
        frame(_rules(metrics, ours))
        _meanings(EFFECTS, k)


def _qualities(metrics: pl.DataFrame, found: pl.DataFrame, ours: str) -> pl.DataFrame:
    """Lay out the metrics of each recommender in `found`, and what it is here."""
    marks = {ours: "exported", FLOOR: "popularity floor", "champion": "in charge before"}
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
    """Print what each heading means."""
    table = Table.grid(Column(), Column(), padding=(0, GAP, 0, 0))
    for heading, meaning in metrics.values():
        table.add_row(f"  {heading.format(k=k)}", meaning.format(k=k))
    out.print(table, style="dim")


def _rules(metrics: pl.DataFrame, name: str) -> pl.DataFrame:
    """Lay the lists of a recommender, without and with rules, side by side."""
    is_own = (pl.col("recommender") == name) | pl.col("recommender").str.starts_with(f"{name}+")
    wide = metrics.filter(is_own).pivot("metric", index="recommender", values=["value", "low", "high"])
    price = pl.format("{} ({} to {})", *(_percent(f"{part}_{PRICE}") for part in ("value", "low", "high")))
    return wide.sort("recommender").select(
        pl.col("recommender").str.strip_prefix(f"{name}+").alias("lists"),
        price.fill_null("").alias("nDCG given up, %"),
        *(pl.col(f"value_{metric}").round(3).alias(heading) for metric, (heading, _) in EFFECTS.items()),
    )


def _percent(column: str) -> pl.Expr:
    return (pl.col(column) * 100).round(1) + 0.0  # and never -0.0


def compared(comparison: "Comparison") -> None:
    """Print each recommender's main metrics on the test cut, best first, and what it cost."""
    k, cut = comparison.k, comparison.protocol.test
    wide = comparison.metrics().pivot("metric", index="recommender", values=["value", "low", "high"])
    paired = comparison.against(comparison.best()).select("recommender", "p_holm")
    costs = pl.DataFrame([{"recommender": name, **cost} for name, cost in comparison.costs.items()], strict=False)
    joined = wide.join(paired, on="recommender", how="left").join(costs, on="recommender")
    rows = joined.sort("value_ndcg", descending=True).select(
        "recommender",
        pl.col("value_ndcg").round(4).alias(f"nDCG@{k}"),
        pl.format("{} to {}", pl.col("low_ndcg").round(3), pl.col("high_ndcg").round(3)).alias("95 % interval"),
        pl.col("value_recall").round(4).alias(f"recall@{k}"),
        pl.col("p_holm").round(4).alias("p"),
        pl.col("train_cpu_seconds").round(1).alias("fit CPU-s"),
        pl.col("listeners_per_second").round(0).cast(pl.Int64).alias("lists/s"),
    )
    n_judged = len(comparison.rankings[comparison.best()]["user_id"].unique())
    out.print(
        f"Protocol {comparison.protocol.name}, full ranking of {len(cut.train.tracks):,} tracks for {n_judged:,} "
        f"listeners ({cut.n_cold_users:,} unknown to training are not judged). p: against the best, after Holm.",
        soft_wrap=True,
    )
    frame(rows)


def simulated(weeks: pl.DataFrame, page: Path) -> None:
    """Print how remedies compare in the last week, and where the report is."""
    table = last_week(weeks)
    plain = {name: name.removeprefix("exposure ").rpartition("=")[2].replace("_", " ") for name in table.columns}
    frame(table.rename(plain).with_columns(pl.selectors.float().round(3)))
    out.print(f"\nReport  {relative(page)}")


def tuned(name: str, found: "Tuned") -> None:
    """Print the best settings of a search as a section of a recipe."""
    out.print(f"# nDCG {found.value:.4f} on the validation period, best of {found.n_trials} trials")
    out.print(f"[recommenders.{name}]")
    for setting, value in asdict(found.config).items():
        out.print(f"{setting} = {json.dumps(value)}")


def explained(explanation: "Explanation", n: int) -> None:
    """Print where a track stands for a listener and the tracks that say most, for and against."""
    place = "not in the published list" if explanation.rank is None else f"rank {explanation.rank}"
    out.print(f"{explanation.track}: {place}{f', {explanation.reason}' if explanation.reason else ''}", soft_wrap=True)
    out.print(explanation.placement, soft_wrap=True)
    said = explanation.contributions
    if said.is_empty():
        out.print("No track of this listener speaks for or against it: the model learns from none of their plays.")
        return
    frame(said.sort(pl.col("contribution").abs(), descending=True, maintain_order=True).head(n))
    out.print(f"{min(n, said.height):,} of {said.height:,} tracks of this listener, those that say most")
