"""Audience: who hears an artist, where, who comes back, and whom else they hear."""

from dashboards import charts, data, filters, parts

PAGE = {"title": "Audience", "section": "Music", "order": 60, "for_labels": True}

DIMENSIONS = {"country": "Country", "age_band": "Age", "gender": "Gender", "taste": "Main genre"}

parts.header("Audience", "Who hears an artist, who comes back, and whom else they hear. Unknown is a group of its own.")
with filters.row():
    artist_id = filters.artist()
    dimension = filters.choose("By", DIMENSIONS, "by")

audience = data.run_query("audience", artist_id=artist_id, dimension=dimension).drop_nulls("share")
audience = audience.sort("share", descending=True, maintain_order=True)
if audience.is_empty():
    parts.empty("Too few listeners in the last 28 days.", "Groups of under ten people are not shown to labels.")
else:
    parts.figure(
        "Who listens",
        audience,
        charts.bars(audience.head(12), "share", "value", unit="%"),
        says=f"The largest group is {audience['value'][0]}, {audience['share'][0]:.0%} of the artist's listeners.",
        key="audience",
        note="Share of the artist's listeners in the last 28 days.",
    )
    parts.figure(
        "Who listens more than chance would have it",
        audience.select("value", "affinity"),
        charts.bars(
            audience.sort("affinity", descending=True).head(12), "affinity", "value", unit="times their share in all"
        ),
        says="Affinity of each group: above 1, it is overrepresented.",
        key="affinity",
        note="Above 1, a group is overrepresented among the artist's listeners.",
    )
countries = data.run_query("countries", artist_id=artist_id).drop_nulls("n_plays")
if not countries.is_empty():
    parts.table(
        countries, of="country_weekly", key="countries", title="Where, over all weeks", formats={"share": "percent"}
    )
cohorts = data.run_query("returning", artist_id=artist_id).drop_nulls("share")
if cohorts.is_empty():
    parts.empty("No cohort is large enough to show.", "Cohorts grow with time.")
else:
    parts.figure(
        "Who comes back",
        cohorts,
        charts.heat(cohorts, "months_since", "cohort_month", "share", x_title="months since the first play"),
        says="Share of each month's new listeners who played the artist again, month by month.",
        key="retention",
        note="Listeners by the month of their first play, and the share of them who played the artist again.",
    )
overlap = data.run_query("overlap", artist_id=artist_id)
if overlap.is_empty():
    parts.empty("No other artist shares enough listeners.", "Pairs with fewer than ten shared listeners are left out.")
else:
    parts.table(
        overlap.drop("other_artist_id"),
        of="artist_overlap",
        key="overlap",
        title="Whom else they hear",
        names={"n_listeners": "shared listeners"},
        formats={"jaccard": "%.3f", "affinity": "%.2f"},
    )
