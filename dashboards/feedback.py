"""What listeners did with their lists: click-through by position and policy, on the operator's page Recommendations."""

import polars as pl

from dashboards import charts, data, filters, parts

GROUPS = {"slot": "Position", "policy": "Policy", "choice": "What was drawn"}
OTHERS = {"recommender": "the recommender's first choice", "alike": "every candidate equally often"}


def click_through() -> None:
    """Show how many explored positions were played, and an estimate of what other policies would reach."""
    parts.heading("What listeners did with their lists")
    with filters.row():
        group = filters.choose("Group positions by", GROUPS, "by")
    found = data.run_query("list_feedback", by=group)
    if found.is_empty():
        parts.empty_state(
            "No position has been observed to its end yet.",
            "A position counts once the days are over within which a play is a reward ([exploration] in the recipe).",
        )
        return
    formats = dict.fromkeys(("low", "high"), "percent")
    parts.figure(
        f"Click-through by {GROUPS[group].lower()}",
        found,
        charts.intervals(found, "rate", "part", unit="%", low="low", high="high"),
        alt_text=f"First is {found['part'][0]}: {found['rate'][0]:.1%} of positions were played.",
        key="click_through",
        formats=formats,
        note="Share of positions whose recording the listener played while the list was shown, with its 95 % interval. "
        "Those that exploration drew are logged, so that policies can be compared; others are not.",
    )
    names = {"part": GROUPS[group].lower(), "n_positions": "positions", "n_played": "played", "rate": "click-through"}
    parts.table(
        found, mart="feedback", key="click_through_table", title="Explored positions", names=names, formats=formats
    )
    parts.table(
        _other_policies(),
        mart="feedback",
        key="other_policies",
        title="What other policies would reach",
        names={"policy": "would draw", "estimate": "click-through"},
        formats=formats | {"n_effective": "%.0f"},
    )
    parts.caption(
        "Estimates from the logged draws and their probabilities (self-normalised inverse propensities). Where few "
        "positions carry the weight, the effective number is small, and the estimate is unreliable."
    )


def _other_policies() -> pl.DataFrame:
    """Return the estimated click-through of policies that were not used, with its interval."""
    rows = [
        data.run_query("off_policy_value", target=target)
        .filter(estimator="snips")
        .select(
            pl.lit(name).alias("policy"),
            estimate="value",
            low=pl.max_horizontal(pl.col("value") - 1.96 * pl.col("error"), 0),
            high=pl.min_horizontal(pl.col("value") + 1.96 * pl.col("error"), 1),
            n_effective="n_effective",
        )
        for target, name in OTHERS.items()
    ]
    return pl.concat(rows)
