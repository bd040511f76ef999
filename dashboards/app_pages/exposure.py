"""Exposure: how much recommendations show a label's recordings compared with their plays, to whom, and why."""

import streamlit as st

from dashboards import charts, data, exposure, filters, ledger, parts, sentences

PAGE = {"title": "Exposure", "section": "Music", "order": 65, "for_labels": True}

KINDS = {
    "artist_gender": "Artist's gender",
    "artist_country": "Artist's country",
    "language": "Language",
    "popularity": "Popularity",
    "age": "Age of the recording",
}
DIMENSIONS = {"country": "Country", "age_band": "Age", "gender": "Gender"}
RATIO = "exposure share / play share, 95 % interval; the tick is the ratio of all labels"
SUPPRESSED = "Groups of fewer than ten listeners are not shown."

if not data.is_operator():
    ledger.exposure()
    st.stop()

parts.header(
    "Exposure",
    "How much recommendations show a label's music compared with how much it is played, to whom, and why. Exposure "
    "weights each recommendation by its position: position r counts 1 / log2(1 + r), so that higher positions count "
    "more. Unknown values form a group of their own.",
)
with filters.row():
    label_id = filters.catalogue_filters("label").get("label", "")
    kind = filters.choose("Group recordings by", KINDS, "kind")
labels = data.run_query("own_exposure", label_id=label_id)
if labels.is_empty():
    parts.empty_state(
        "Too few listeners are recommended this music.", SUPPRESSED, operator="Lists are published by: recsys nightly."
    )
    st.stop()
if labels.height == 1:
    total = labels.row(0, named=True)
    mart = "label_exposure"
    with st.container(horizontal=True):
        parts.metric("Share of plays", total["listening_share"], unit="%", column=(mart, "listening_share"))
        parts.metric("Share of exposure", total["exposure_share"], unit="%", column=(mart, "exposure_share"))
        parts.metric("Exposure relative to plays", total["ratio"], column=(mart, "ratio"))
        parts.metric("Listeners reached", total["n_shown"], column=(mart, "n_shown"))
    groups = sentences.with_code_names(data.run_query("own_exposure", label_id=label_id, kind=kind), "group_name", kind)
    if groups.is_empty():
        parts.empty_state("No group is large enough to be shown.", SUPPRESSED)
    else:
        parts.figure(
            f"Exposure by {KINDS[kind].lower()}",
            groups,
            charts.intervals(
                groups, "ratio", "group_name", unit=RATIO, low="low", high="high", reference="market_ratio"
            ),
            alt_text=f"Lowest is {groups['group_name'][0]}: {groups['ratio'][0]:.2f} times its share of plays.",
            key="groups",
            note="If an interval does not contain 1, the difference is unlikely to be chance. There is no tick where "
            "fewer than three other labels have recordings in the group.",
        )
    exposure.by_country("label", label_id, "countries")
else:
    parts.figure(
        "Exposure by label",
        labels,
        charts.intervals(labels, "ratio", "label_name", unit=RATIO, low="low", high="high", reference="market_ratio"),
        alt_text=f"Lowest is {labels['label_name'][0]}: {labels['ratio'][0]:.2f} times its share of plays.",
        key="labels",
        note="At 1, recommendations show a label as much as it is played. Lists contain only recordings that a "
        "listener has not played yet, so hits are shown less than they are played.",
    )

parts.heading("Why, and to whom")
with filters.row():
    artist_id = filters.choose_artist()
    dimension = filters.choose("Group listeners by", DIMENSIONS, "by")
reasons = data.run_query("shown_to", artist_id=artist_id)
if reasons.is_empty():
    parts.empty_state("This artist is recommended to too few listeners.", "Choose another artist.")
    st.stop()
parts.figure(
    "Why the artist is recommended",
    reasons,
    charts.bars(reasons, "share", "value", unit="%"),
    alt_text=f"The most frequent reason is {reasons['value'][0]}, for {reasons['share'][0]:.0%} of recommendations.",
    key="reasons",
    note="Share of recommendations whose reason is a recording in the listener's history by the same artist, one by "
    "another artist, or no recording (popularity), or that exploration drew at random.",
)
groups = data.run_query("shown_to", artist_id=artist_id, dimension=dimension)
groups = sentences.with_code_names(groups, "value", dimension)
if not groups.is_empty():
    parts.figure(
        "To whom the artist is recommended",
        groups,
        charts.bars(
            groups.sort("affinity", descending=True).head(12),
            "affinity",
            "value",
            unit="affinity: share here / share of all listeners with a list",
        ),
        alt_text="Affinity of each group: above 1, the artist is recommended to it more than to others.",
        key="shown_to",
        note="Above 1, the artist is recommended to the group more than to others.",
    )
