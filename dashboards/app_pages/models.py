"""Models: runs and their verdicts, how good each recommender was with intervals, and the card of the one in charge."""

import streamlit as st

from dashboards import charts, data, parts

PAGE = {"title": "Models", "section": "Operations", "order": 110, "for_labels": False}

METRICS = {
    "ndcg": "nDCG",
    "recall": "Recall",
    "hit_rate": "Hit rate",
    "coverage": "Coverage",
    "exposure_gini": "Gini of exposure",
    "novelty": "Novelty",
    "serendipity": "Serendipity",
}

parts.header("Models", "How good each recommender was, on days it had not seen, and what the gate said.")
with parts.filters():
    metric = parts.choose("Metric", METRICS, "metric")
history = data.ask("metric_history", metric=metric)
if history.is_empty():
    parts.empty("No model was judged yet.", "Run: recsys nightly")
    st.stop()
latest = history.filter(run_id=history["run_id"][0])
parts.figure(
    f"{METRICS[metric]}, last night",
    latest,
    charts.intervals(latest, "value", "recommender", unit="mean over listeners, 95 % interval", low="low", high="high"),
    says=f"{latest['recommender'][0]} is best.",
    key="metrics",
    note=f"At {latest['k'][0]} places, {latest['n_users'][0]:,} listeners; the whole catalogue is ranked.",
)
drift = history.sort("run_date", "run_id")
parts.figure(
    "Drift",
    drift,
    charts.lines(drift, "run_date", "value", by="recommender", unit=f"{METRICS[metric]}, run by run", points=True),
    says="The metric of each recommender, run by run.",
    key="drift",
    note="Each point is a night's test window.",
)
runs = data.runs()
parts.table(runs, of="run_metrics", key="runs", title="Runs and what the gate said")
with st.expander("Card of the model in charge"):
    st.markdown(data.card())
