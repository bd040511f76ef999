"""Lists of all metrics with their definitions, as a table and as Markdown."""

import polars as pl

from recsys.metrics.definitions import metrics


def listed() -> pl.DataFrame:
    """List the metrics: name, meaning (numerator / denominator), unit, formula, facts, dimensions and description."""
    rows = [
        {
            "name": metric.name,
            "meaning": metric.doc.meaning,
            "unit": metric.doc.unit,
            "formula": metric.formula,
            "facts": metric.facts.name.partition(".")[2],
            "dimensions": ", ".join(metric.dimensions),
            "description": metric.description,
        }
        for metric in metrics().values()
    ]
    return pl.DataFrame(rows)


def as_markdown() -> str:
    """Return the metrics as a Markdown table, and the facts that they are computed from."""
    head = ["| metric | is | unit | formula | facts | note |", "|---|---|---|---|---|---|"]
    rows = [
        f"| `{metric.name}` | {metric.doc.meaning} | {metric.doc.unit} | `{metric.formula}` | "
        f"{metric.facts.name.partition('.')[2]} | {metric.description} |"
        for metric in metrics().values()
    ]
    facts = {metric.facts.name: metric for metric in metrics().values()}
    sources = [
        f"| {name.partition('.')[2]} | {metric.facts.description} | {', '.join(metric.dimensions)} |"
        for name, metric in sorted(facts.items())
    ]
    return "\n".join([*head, *rows, "", "| facts | one row per | dimensions |", "|---|---|---|", *sources])
