"""Audience: who listens to an artist, where, who comes back, and which other artists they listen to."""

import streamlit as st

from dashboards import charts, data, exposure, filters, ledger, parts, sentences

PAGE = {"title": "Audience", "section": "Music", "order": 60, "for_labels": True}

DIMENSIONS = {"country": "Country", "age_band": "Age", "gender": "Gender", "main_genre": "Main genre"}
SUPPRESSED = "Groups of fewer than ten listeners are not shown."

if not data.is_operator():
    ledger.audience()
    st.stop()

parts.header(
    "Audience",
    "Who listens to an artist, who comes back, and which other artists they listen to. "
    "Listeners whose country, age or gender is unknown form a group of their own.",
)
with filters.row():
    artist_id = filters.choose_artist()
    dimension = filters.choose("Group listeners by", DIMENSIONS, "by")

audience = data.run_query("audience", artist_id=artist_id, dimension=dimension).drop_nulls("share")
audience = sentences.with_code_names(audience, "value", dimension)
audience = audience.sort("share", descending=True, maintain_order=True)
if audience.is_empty():
    parts.empty_state("There are too few listeners in the last 28 days.", SUPPRESSED)
else:
    parts.figure(
        "Who listens",
        audience,
        charts.bars(audience.head(12), "share", "value", unit="%"),
        alt_text=f"The largest group is {audience['value'][0]}, {audience['share'][0]:.0%} of the artist's listeners.",
        key="audience",
        note="Share of the artist's listeners, last 28 days.",
    )
    parts.table(
        audience.drop("dimension"),
        mart="artist_audience",
        key="audience_table",
        title=f"{DIMENSIONS[dimension]}, last 28 days",
        names={"value": "group", "share": "share of listeners", "play_share": "share of plays"},
        formats={"affinity": "%.2f"},
    )
    affinity = audience.sort("affinity", descending=True).head(12)
    parts.figure(
        "Overrepresented groups",
        audience.select("value", "affinity"),
        charts.bars(affinity, "affinity", "value", unit="share of the artist's listeners / share of all listeners"),
        alt_text="Affinity of each group: above 1, the group is overrepresented among the artist's listeners.",
        key="affinity",
        note="Above 1, a group is overrepresented among the artist's listeners.",
    )
cohorts = data.run_query("returning", artist_id=artist_id).drop_nulls("share")
if cohorts.is_empty():
    parts.empty_state(
        "No month has enough new listeners to be shown.", "Months with fewer than ten new listeners are not shown."
    )
else:
    parts.figure(
        "Who comes back",
        cohorts,
        charts.heatmap(cohorts, "months_since", "cohort_month", "share", x_title="months since the first play"),
        alt_text="Share of each month's new listeners who played the artist again, month by month.",
        key="retention",
        note="Each row: listeners whose first play was in that month; share of them who played the artist again. "
        "The first month of the data is left out: its listeners may have played the artist before.",
    )
overlap = data.run_query("overlap", artist_id=artist_id)
if overlap.is_empty():
    parts.empty_state(
        "No other artist shares enough listeners.", "Pairs with fewer than ten shared listeners are left out."
    )
else:
    parts.figure(
        "Artists whose listeners overlap most",
        overlap,
        charts.bars(overlap.head(12), "affinity", "name", unit="listeners in common / as many as chance would give"),
        alt_text=f"First is {overlap['name'][0]}, with {overlap['affinity'][0]:.1f} times as many as by chance.",
        key="overlap_bars",
        opens="name",
    )
    parts.table(
        overlap,
        mart="artist_overlap",
        key="overlap",
        title="Which other artists they listen to",
        names={
            "n_listeners": "listeners in common",
            "jaccard": "overlap (Jaccard)",
            "affinity": "times expected by chance",
        },
        formats={"jaccard": "%.3f", "affinity": "%.2f"},
    )
exposure.by_country("artist", artist_id, "exposure")
