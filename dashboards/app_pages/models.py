"""Models: how good each recommender was, run by run and with intervals, what the gate said, and the model in charge."""

import streamlit as st

from dashboards import charts, data, filters, parts
from dashboards.markdown import Markdown

PAGE = {"title": "Models", "section": "Operations", "order": 110, "for_labels": False}

METRICS = {
    "ndcg": "nDCG",
    "recall": "Recall",
    "precision": "Precision",
    "hit_rate": "Hit rate",
    "reciprocal_rank": "Reciprocal rank",
    "coverage": "Coverage",
    "novelty": "Novelty",
    "serendipity": "Serendipity",
    "intra_list_diversity": "Diversity within lists",
    "miscalibration": "Distance from own taste",
    "popularity_lift": "Popularity lift",
    "exposure_gini": "Gini of exposure",
}
MEAN = "mean over listeners, 95 % interval where the metric has one"

parts.header("Models", "How good each recommender was on days it had not seen, run by run, and what the gate said.")
runs = data.runs()
if runs.is_empty():
    parts.empty("Nothing ran yet.", "Run: recsys nightly")
    st.stop()
refused = runs.filter(verdict="refused")
with st.container(horizontal=True):
    parts.metric("Runs", runs.height, says="Nights of which this home has a log")
    parts.metric("Refused by the gate", refused.height, says="Worse than the one in charge, or tables went missing")
    parts.metric("nDCG of the last run", runs["ndcg"][0], says="Of what it exported, mean over listeners")

with filters.row():
    metric = filters.choose("Metric", METRICS, "measure", help="Defined in recsys/evaluate; run_metrics has them all")
    history = data.run_query("metric_history", metric=metric)
    names = history["recommender"].unique(maintain_order=True).to_list()
    recommender = filters.choose("Drift of", {name: name for name in names}, "recommender") if names else ""
if history.is_empty():
    parts.empty("No run was judged on this metric yet.", "Choose another, or run: recsys nightly")
else:
    latest = history.filter(run_id=history["run_id"][0])
    parts.figure(
        f"{METRICS[metric]}, last run",
        latest,
        charts.intervals(latest, "value", "recommender", unit=MEAN, low="low", high="high"),
        says=f"{latest['recommender'][0]} has the largest, {latest['value'][0]:.4f}.",
        key="metrics",
        note=f"At {latest['k'][0]} places, {latest['n_users'][0]:,} listeners; the whole catalogue is ranked. "
        "champion: the model in charge before, fitted on the same days.",
    )
    drift = data.run_query("metric_drift", metric=metric, recommender=recommender)
    parts.figure(
        f"{METRICS[metric]} of {recommender}, run by run",
        drift,
        charts.intervals(drift, "value", "run_id", unit=f"{MEAN}; the newest run first", low="low", high="high"),
        says=f"{drift['value'][0]:.4f} in the last run, {drift['value'][-1]:.4f} in the first of {drift.height}.",
        key="drift",
        note="Each run is judged on the days before its own date. Intervals that do not meet are a change.",
    )

parts.table(
    runs,
    of="run_metrics",
    key="runs",
    title="Runs and what the gate said",
    names={"n_steps": "steps done", "ndcg": "nDCG", "is_current": "current", "reasons": "why refused"},
    formats={"ndcg": "%.4f", "seconds": "%.0f"},
)
card = parts.attempt(data.card)
if card is not None:
    with parts.folded("Card of the model in charge"):
        parts.paragraph(Markdown(card))
