"""Models: quality of each recommender by run with intervals, verdicts of the gate, and the published model."""

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
    "miscalibration": "Distance from the listener's own genre mix",
    "popularity_lift": "Popularity lift",
    "exposure_gini": "Gini of exposure",
}
MEAN = "mean over listeners, 95 % interval where available"

parts.header("Models", "How good each recommender was on held-out days, run by run, and what the gate decided.")
runs = data.runs()
if runs.is_empty():
    parts.empty_state("There are no runs yet.", "Run: recsys nightly")
    st.stop()
refused = runs.filter(verdict="refused")
with st.container(horizontal=True):
    parts.metric("Runs", runs.height, definition="Runs with a log in this home")
    parts.metric(
        "Refused by the gate",
        refused.height,
        definition="Runs that were worse than the published model, or whose tables lost rows",
    )
    parts.metric(
        "nDCG of the last run",
        runs["ndcg"][0],
        definition="nDCG@10 of the exported recommendations on held-out days, mean over listeners",
    )

with filters.row():
    metric = filters.choose(
        "Metric", METRICS, "measure", help="Defined in recsys/evaluate; all are in marts.run_metrics"
    )
    history = data.run_query("metric_history", metric=metric)
    names = history["recommender"].unique(maintain_order=True).to_list()
    recommender = filters.choose("Recommender", {name: name for name in names}, "recommender") if names else ""
if history.is_empty():
    parts.empty_state("No run has been evaluated on this metric yet.", "Choose another one, or run: recsys nightly")
else:
    latest = history.filter(run_id=history["run_id"][0])
    parts.figure(
        f"{METRICS[metric]} of all recommenders, last run",
        latest,
        charts.intervals(latest, "value", "recommender", unit=MEAN, low="low", high="high"),
        alt_text=f"{latest['recommender'][0]} has the largest value, {latest['value'][0]:.4f}.",
        key="metrics",
        note=f"Lists of {latest['k'][0]}, {latest['n_users'][0]:,} listeners; the whole catalogue is ranked. "
        "champion: the model of the published run before this one, fitted on the same days.",
    )
    drift = data.run_query("metric_drift", metric=metric, recommender=recommender)
    parts.figure(
        f"{METRICS[metric]} of {recommender}, by run",
        drift,
        charts.intervals(drift, "value", "run_id", unit=f"{MEAN}; newest run first", low="low", high="high"),
        alt_text=f"{drift['value'][0]:.4f} in the last run, {drift['value'][-1]:.4f} in the first of {drift.height}.",
        key="drift",
        note="Each run is evaluated on the days before its own date. Intervals that do not overlap show a real change.",
    )

parts.table(
    runs,
    mart="run_metrics",
    key="runs",
    title="Runs and verdicts of the gate",
    names={"n_steps": "completed steps", "ndcg": "nDCG", "is_current": "current", "reasons": "why refused"}
    | {"unreadable": "unreadable files", "stopped_in": "stopped in", "stopped_at": "stopped at"},
    formats={"ndcg": "%.4f", "seconds": "%.0f"},
)
card = parts.attempt(data.model_card)
if card is not None:
    with parts.expander("Card of the published model"):
        parts.paragraph(Markdown(card))
