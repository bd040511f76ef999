"""Fairness: exposure of groups of recordings, quality for groups of listeners, effects and costs of rules."""

import streamlit as st

from dashboards import charts, data, filters, parts, sentences

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
    "ndcg_price": "Relative loss of nDCG",
    "recall": "Recall",
    "exposure_gini": "Gini of exposure",
    "intra_list_diversity": "Diversity within lists",
    "miscalibration": "Distance from the listener's own genre mix",
    "popularity_lift": "Popularity lift",
    "coverage": "Coverage",
}
SHARES = {
    "catalogue_share": "catalogue",
    "listening_share": "plays",
    "exposure_share": "exposure",
}
LISTENERS = {
    "gender": "Gender",
    "age_band": "Age",
    "country": "Country",
    "activity": "Activity",
    "mainstream": "Preference for popular music",
}

parts.header(
    "Fairness", "Which recordings get exposure, for which listeners lists work well, and what changes would cost."
)
with filters.row():
    kind = filters.choose("Group recordings by", KINDS, "kind")
    metric = filters.choose("Metric", METRICS, "metric")
    listeners = filters.choose("Group listeners by", LISTENERS, "listeners")

of_groups = data.run_query("exposure_shares", kind=kind)
shares = sentences.with_code_names(of_groups, "group_name", kind)
if shares.is_empty():
    parts.empty_state("No recommendations have been published yet.", "Run: recsys nightly")
    st.stop()
parts.figure(
    "Exposure compared with catalogue and plays",
    shares,
    charts.dot_plot(shares.head(15), "group_name", SHARES, unit="%"),
    alt_text="Each group's share of exposure beside its shares of the catalogue and of plays.",
    key="exposure",
    note="Each group's share of the catalogue, of plays and of exposure. A recommendation at position r counts "
    "1 / log2(1 + r) of exposure.",
)
ratios = shares.drop_nulls("ratio").sort("ratio").select("group_name", "ratio", "low", "high", "n_tracks")
if not ratios.is_empty():
    parts.figure(
        "Exposure relative to plays",
        ratios,
        charts.intervals(
            ratios.head(15),
            "ratio",
            "group_name",
            unit="exposure share / play share, 95 % interval",
            low="low",
            high="high",
        ),
        alt_text=f"Lowest is {ratios['group_name'][0]}: {ratios['ratio'][0]:.2f} times its share of plays.",
        key="exposure_ratio",
        note="If an interval does not contain 1, the difference is unlikely to be chance. Groups that nobody was "
        "recommended or played have none. Lists contain only recordings that a listener has not played yet, so hits "
        "are shown less than they are played.",
    )
effects = data.run_query("rule_effects", metric=metric)
if effects.is_empty():
    parts.empty_state("The recipe has no rerank rules.", "Rules are sections of [rerank] in recipe.toml.")
else:
    parts.figure(
        f"{METRICS[metric]} before and after each rerank rule",
        effects,
        charts.intervals(effects, "value", "lists", unit="mean over listeners, 95 % interval", low="low", high="high"),
        alt_text="The metric of the recommender's own lists, with each rule alone, and with all rules.",
        key="rule_effects",
        note="Measured on held-out days. The most sensitive measure of a rule's cost is the relative loss of nDCG, "
        "which compares each listener's list with their own list before the rule.",
    )
quality = data.run_query("group_quality", metric=metric, kind=listeners)
quality = sentences.with_code_names(quality, "group_name", listeners)
if quality.is_empty():
    parts.empty_state("This metric is not available by group of listeners.", "Choose nDCG or recall.")
else:
    parts.figure(
        f"{METRICS[metric]} by group of listeners",
        quality,
        charts.intervals(
            quality,
            "value",
            "group_name",
            unit="mean with all rules, 95 % interval; tick: before any rule",
            low="low",
            high="high",
            reference="value_before_rules",
        ),
        alt_text=f"Highest for {quality['group_name'][0]}, {quality['value'][0]:.4f}.",
        key="group_quality",
        note="Groups of fewer than ten listeners are not shown. Unknown values form a group of their own.",
    )

parts.heading("What if", 3)
parts.caption(
    "Re-ranks the stored candidates of all listeners with a minimum share of exposure for one group and no other rule. "
    "To keep a target, add it to [rerank.exposure.targets] in recipe.toml; the next nightly run measures its cost."
)
with filters.row():
    group = filters.choose("Group", dict(zip(of_groups["group_name"], shares["group_name"], strict=True)), "group")
    target = filters.share_slider("Minimum share of exposure", "target")
before, after = data.what_if(f"{kind}={group}", 0.0), data.what_if(f"{kind}={group}", target)
with st.container(horizontal=True):
    parts.metric(
        "Share without the target", before["share"], unit="%", definition="The group's share of exposure in all lists"
    )
    parts.metric(
        "Share with the target", after["share"], unit="%", definition="The group's share of exposure in all lists"
    )
    parts.metric(
        "Relevance kept",
        after["relevance_ratio"],
        unit="%",
        definition="Relevance of the new lists / relevance before, by the recommender's scores, weighted by exposure",
    )
    parts.metric(
        "Recordings replaced",
        after["changed_share"],
        unit="%",
        definition="Share of recordings that were not on the listener's list before",
    )

report = data.feedback_loop_report()
parts.heading("Feedback loop", 3)
if report is None:
    parts.empty_state("No feedback loop has been simulated yet.", "Run: recsys simulate")
else:
    parts.paragraph(
        "The latest simulation of weeks in which recommenders learn from plays of their own lists, by rule."
    )
    name = "feedback_loop.html"
    st.download_button("HTML", report.read_bytes, name, "text/html", on_click="ignore", type="tertiary")
