"""Printed output about learned tags."""

from typing import TYPE_CHECKING, Any

import polars as pl

from recsys.cli.show.tables import frame, out

if TYPE_CHECKING:
    from recsys.tags.learn import Learned


_ESTIMATE = ("value", "low", "high")


def learned(found: "Learned") -> None:
    """Print what was learned of a kind: data, metrics with intervals, the ablation, each group, and each tag."""
    card = found.card
    data = card["data"]
    consent = ", ".join(f"{n:,} {name}" for name, n in data["consent"].items())
    out.print(f"\n{card['kind']}: {data['n_trained']:,} of {data['n_labelled']:,} labelled recordings trained on")
    out.print(f"consent of the labelled ones: {consent}")
    if card["n_left"]:
        out.print(f"{card['n_left']:,} recordings of the last training are no longer in it")
    rows = [_row("all inputs: " + ", ".join(card["inputs"]), card["metrics"])]
    rows += [_row(f"only {part['inputs']}", part) for part in card["ablation"] if not part["left_out"]]
    frame(pl.DataFrame(rows))
    for part in card["ablation"]:
        if part["left_out"]:
            out.print(f"not measured with {part['inputs']} alone: {part['left_out']}")
    _groups(card["metrics"]["groups"])
    tags = [
        {
            "tag": name,
            "recordings": tag["n_positives"],
            "calibration error": tag["ece"],
            "shown": tag["reason"] or "yes",
        }
        for name, tag in card["tags"].items()
    ]
    frame(pl.DataFrame(tags))


def _groups(groups: list[dict[str, Any]]) -> None:
    """Print the metrics of each genre, language and country, and how many of these are too small to have any."""
    known = [group for group in groups if group["accuracy"]["value"] is not None]
    rows = [
        {
            "group": f"{group['of']} {group['name']}",
            "recordings": group["n"],
            "accuracy": _with_interval(group["accuracy"]),
            "calibration error": _with_interval(group["ece"]),
        }
        for group in known
    ]
    if rows:
        frame(pl.DataFrame(rows))
    if n_small := len(groups) - len(known):
        out.print(f"not known for {n_small} genres, languages and countries with too few recordings")


def _row(name: str, metrics: dict[str, Any]) -> dict[str, str]:
    f1, error = metrics["macro_f1"], metrics["ece"]
    return {"inputs": name, "macro F1": _with_interval(f1), "calibration error": _with_interval(error)}


def _with_interval(estimate: dict[str, float | None]) -> str:
    value, low, high = ("unknown" if estimate[name] is None else f"{estimate[name]:.3f}" for name in _ESTIMATE)
    return f"{value} ({low} to {high})"


def next_steps() -> None:
    """Say what makes the tags visible."""
    out.print("\nMetrics are of recordings by artists that the head was not trained on. Model cards: <home>/tags.")
    out.print("Recordings whose labels would teach most: <home>/tags/KIND/label_next.csv.")
    out.print("To update the tables: recsys build. Doubted genres: recsys review list, after the next nightly run.")
