"""Figures as a person would write them: numbers, days, and rows of a query as sentences."""

from collections.abc import Mapping
from typing import Any

import polars as pl

from dashboards.markdown import Markdown, say
from recsys.reports.wording import format_duration

LEVEL = 0.005  # a smaller change is none worth a word


def compared(name: str, row: Mapping[str, Any]) -> Markdown:
    """Put a row of `what_changed` into a sentence."""
    change, values = row["change"], {"name": name, "now": _span(row["first_date"], row["last_date"])}
    if row["n_now"] is None:
        return say("**{name}**: none {now} that may be shown.", **values)
    values["n"] = number(row["n_now"])
    if change is None:
        return say("**{name}**: {n} {now}; none before to hold them against.", **values)
    values |= {"before": _span(row["first_date_before"], row["last_date_before"]), "n_before": number(row["n_before"])}
    if abs(change) < LEVEL:
        return say("**{name}** stayed level: {n} {now}, {n_before} {before}.", **values)
    values |= {"moved": "rose" if change > 0 else "fell", "change": f"{abs(change):.1%}"}
    return say("**{name}** {moved} by **{change}**: {n} {now}, {n_before} {before}.", **values)


def moved(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `artist_changes` into a sentence."""
    change = "" if row["change"] is None else f" ({row['change']:+.1%})"
    verb = "gained" if row["difference"] > 0 else "lost"
    more = f"{verb} most: {row['difference']:+,} plays{change}, now {number(row['n_now'])}."
    return say("**{name}** {more}", name=row["artist_name"], more=more)


def called(row: Mapping[str, Any], name: str, key: str) -> str:
    """Return what a row is called; its id where no file names it."""
    return str(row[name] or row[key])


def broke_out(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `breakouts` into a sentence."""
    plays = f"{number(row['n_plays'])} plays in seven days where {number(row['n_expected'])} were expected"
    people = f"{number(row['n_listeners'])} listeners in {row['n_countries']} countries"
    artist = f"by {row['artist_name']}, " if row["artist_name"] else ""
    more = f"{artist}since {day(row['started_on'])}: {plays}, {people}."
    return say("**{title}** {more}", title=called(row, "title", "track_id"), more=more)


def charted(row: Mapping[str, Any]) -> Markdown:
    """Put a row of `chart_movers` into a sentence."""
    how = {"new": "new on the chart", "back": "back on the chart", "=": "as the week before"}.get(row["moved"])
    how = how or f"{'up' if row['rank'] < row['rank_before'] else 'down'} from {row['rank_before']}"
    more = f"{how}; at best {row['peak_rank']}."
    names = {"title": row["title"], "artist": row["artist"], "rank": row["rank"]}
    return say("**{title}** by {artist} is at **{rank}**, {more}", **names, more=more)


def _span(first: Any, last: Any) -> str:
    return f"on {day(last)}" if first == last else f"from {first.day} {first:%B} to {last.day} {last:%B}"


def number(value: float | None, unit: str = "") -> str:
    """Write a number as a person would: 57,342, 1.24 M, 4.1 %."""
    if value is None:
        return "-"
    if unit == "%":
        return f"{value:.1%}"
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.2f} M {unit}".rstrip()
    text = f"{value:,.0f}" if float(value).is_integer() or abs(value) >= 1_000 else f"{value:.3g}"
    return f"{text} {unit}".rstrip()


def day(date: Any) -> str:
    """Write a day: 30 June 2026."""
    return f"{date.day} {date:%B %Y}"


def clocked(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Write seconds as one reads them off a player: 1:05."""
    return rows.with_columns(pl.col(name).map_elements(format_duration, return_dtype=pl.String) for name in columns)
