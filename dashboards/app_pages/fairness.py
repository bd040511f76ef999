"""Fairness: who is shown, for whom lists are good, what rules change, and what another target would cost."""

import streamlit as st

from dashboards import charts, data, filters, parts

PAGE = {"title": "Fairness", "section": "Operations", "order": 100, "for_labels": False}

KINDS = {
    "artist_gender": "Artist's gender",
    "artist_country": "Artist's country",
    "label_type": "Label type",
    "language": "Language",
    "popularity": "Popularity",
    "age": "Age of the recording",
}
METRICS = {
    "ndcg": "nDCG",
    "ndcg_price": "nDCG given up, a share of it",
    "recall": "Recall",
    "exposure_gini": "Gini of exposure",
    "intra_list_diversity": "Diversity within lists",
    "miscalibration": "Distance from own taste",
    "popularity_lift": "Popularity lift",
    "coverage": "Coverage",
}
SHARES = {"catalogue_share": "of recordings", "listening_share": "of plays", "exposure_share": "of exposure"}
LISTENERS = {
    "gender": "Gender",
    "age_band": "Age",
    "country": "Country",
    "activity": "Activity",
    "mainstream": "Mainstream",
}

parts.header("Fairness", "Who is shown, for whom lists are good, and what it costs to change that.")
with filters.row():
    kind = filters.choose("Groups of recordings", KINDS, "kind")
    metric = filters.choose("Metric", METRICS, "metric")
    listeners = filters.choose("Groups of listeners", LISTENERS, "listeners")

shares = data.run_query("exposure_shares", kind=kind)
if shares.is_empty():
    parts.empty("No lists are published yet.", "Run: recsys nightly")
    st.stop()
parts.figure(
    "Who is shown, who is there, and who is listened to",
    shares,
    charts.beside(shares.head(15), "group_name", SHARES, unit="%"),
    says="Each group's share of exposure beside its shares of the catalogue and of plays.",
    key="exposure",
    note="Exposure of a place is 1 / log2(1 + rank), over all published lists.",
)
effects = data.run_query("rule_effects", metric=metric)
if effects.is_empty():
    parts.empty("The recipe sets no rules.", "Rules are sections of [rerank] in recipe.toml.")
else:
    parts.figure(
        f"{METRICS[metric]}, before and after each rule",
        effects,
        charts.intervals(effects, "value", "lists", unit="mean over listeners, 95 % interval", low="low", high="high"),
        says="The metric of the recommender's own lists, under each rule, and under all.",
        key="rule_effects",
        note="On days that no model was trained on. What a rule costs is told most sharply by nDCG given up: it holds "
        "each listener's list against their own before the rule.",
    )
quality = data.run_query("group_quality", metric=metric, kind=listeners)
if quality.is_empty():
    parts.empty("This metric is not measured by group of listeners.", "nDCG and recall are.")
else:
    parts.figure(
        f"{METRICS[metric]} by group of listeners",
        quality,
        charts.intervals(
            quality,
            "value",
            "group_name",
            unit="mean under all rules, 95 % interval; the tick: before any rule",
            low="low",
            high="high",
            mark="value_before_rules",
        ),
        says=f"Highest for {quality['group_name'][0]}, {quality['value'][0]:.4f}.",
        key="group_quality",
        note="Groups of fewer than ten listeners are not shown. Unknown is a group of its own.",
    )

parts.heading("What if", 3)
parts.remark(
    "All lists chosen again among the stored candidates, with at least this share of exposure for one group and no "
    "other rule. A good target belongs into [rerank.exposure.targets] of recipe.toml; the next night tells its price."
)
with filters.row():
    group = filters.choose("Group", dict(zip(shares["group_name"], shares["group_name"], strict=True)), "group")
    target = filters.share("Least share of exposure", "target")
before, after = data.what_if(f"{kind}={group}", 0.0), data.what_if(f"{kind}={group}", target)
with st.container(horizontal=True):
    parts.metric("Share without a target", before["share"], unit="%", says="Of what all listeners look at")
    parts.metric("Share with it", after["share"], unit="%", says="Of what all listeners look at")
    parts.metric(
        "Relevance kept", after["kept"], unit="%", says="What the recommender thinks of the lists, weighed by place"
    )
    parts.metric(
        "Recordings exchanged", after["changed"], unit="%", says="Share of recordings that were not on that list before"
    )

report = data.loop_report()
parts.heading("The loop", 3)
if report is None:
    parts.empty("No feedback loop was simulated yet.", "Run: recsys simulate")
else:
    parts.paragraph("Weeks of learning from what its own lists led to, under each rule: the latest report.")
    name = "feedback_loop.html"
    st.download_button("HTML", report.read_bytes, name, "text/html", on_click="ignore", type="tertiary")
