"""Exposure: how much of a label's recordings recommendations show beside what is played, to whom, and why."""

import streamlit as st

from dashboards import charts, data, filters, parts

PAGE = {"title": "Exposure", "section": "Music", "order": 65, "for_labels": True}

KINDS = {
    "artist_gender": "Artist's gender",
    "artist_country": "Artist's country",
    "language": "Language",
    "popularity": "Popularity",
    "age": "Age of the recording",
}
DIMENSIONS = {"country": "Country", "age_band": "Age", "gender": "Gender"}
RATIO = "exposure / plays, 95 % interval; the tick: all labels"

parts.header(
    "Exposure",
    "How much recommendations show of a label beside what is played of it, why they do, and to whom. "
    "Unknown is a group of its own.",
)
with filters.row():
    label_id = filters.narrowing("label").get("label", "")
    kind = filters.choose("Groups of recordings", KINDS, "kind")
labels = data.run_query("own_exposure", label_id=label_id)
if labels.is_empty():
    parts.empty(
        "Nothing of this is recommended to enough listeners.",
        "Lists are published by: recsys nightly. Figures of under ten people are not shown to labels.",
    )
    st.stop()
if labels.height == 1:
    whole = labels.row(0, named=True)
    with st.container(horizontal=True):
        parts.metric("Share of plays", whole["listening_share"], unit="%", of=("label_exposure", "listening_share"))
        parts.metric("Share of exposure", whole["exposure_share"], unit="%", of=("label_exposure", "exposure_share"))
        parts.metric("Exposure / plays", whole["ratio"], of=("label_exposure", "ratio"))
        parts.metric("Listeners shown any", whole["n_shown"], of=("label_exposure", "n_shown"))
    groups = data.run_query("own_exposure", label_id=label_id, kind=kind)
    if groups.is_empty():
        parts.empty("No group is large enough to show.", "Groups of under ten people are not shown to labels.")
    else:
        parts.figure(
            f"By {KINDS[kind].lower()}",
            groups,
            charts.intervals(groups, "ratio", "group_name", unit=RATIO, low="low", high="high", mark="market_ratio"),
            says=f"Least is shown of {groups['group_name'][0]}, {groups['ratio'][0]:.2f} times its share of plays.",
            key="groups",
            note="An interval that leaves out 1 is no chance of who happened to listen. The tick is missing where "
            "fewer than three other labels have any of the group.",
        )
else:
    parts.figure(
        "Label by label",
        labels,
        charts.intervals(labels, "ratio", "label_name", unit=RATIO, low="low", high="high", mark="market_ratio"),
        says=f"Least is shown of {labels['label_name'][0]}, {labels['ratio'][0]:.2f} times its share of plays.",
        key="labels",
        note="At 1, lists show as much of a label as is played. They name what a listener has not played yet: hits are "
        "shown less than they are played.",
    )

parts.heading("Why, and to whom")
with filters.row():
    artist_id = filters.artist()
    dimension = filters.choose("Listeners by", DIMENSIONS, "by")
reasons = data.run_query("shown_to", artist_id=artist_id)
if reasons.is_empty():
    parts.empty("This artist is on too few lists to tell.", "Choose another one.")
    st.stop()
parts.figure(
    "What speaks for the artist",
    reasons,
    charts.bars(reasons, "share", "value", unit="%"),
    says=f"The most frequent reason is {reasons['value'][0]}, in {reasons['share'][0]:.0%} of places.",
    key="reasons",
    note="The recording of the listener that the reason of a place names: of the same artist, of another, or none "
    "(what is popular, an audience, a sound).",
)
groups = data.run_query("shown_to", artist_id=artist_id, dimension=dimension)
if not groups.is_empty():
    parts.figure(
        "To whom",
        groups,
        charts.bars(
            groups.sort("affinity", descending=True).head(12),
            "affinity",
            "value",
            unit="times their share in all lists",
        ),
        says="Affinity of each group: above 1, lists show the artist to it more than to others.",
        key="shown_to",
        note="Above 1, lists show the artist to the group more than to others.",
    )
