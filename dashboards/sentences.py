"""
Figures and rows of queries as readable text: numbers, dates, times, and sentences.

Sentences are `Markdown` with escaped values (see `dashboards.markdown`). Called by pages and by `parts`.
"""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from dashboards.markdown import Markdown, fill
from recsys.ingest.countries import country_name
from recsys.ingest.languages import language_name
from recsys.reports.wording import ISSUE_KINDS, ISSUES, REFUSALS, format_day, format_duration, format_number
from recsys.rights.check import KINDS

NOTABLE = 0.95  # available recordings / as many as usual; below, what is not available is a reason for few places
NEGLIGIBLE_CHANGE = 0.005  # relative changes below are reported as no change
CODE_NAMES: Mapping[str, Callable[[str], str]] = {  # kind of groups -> name of a code
    "country": country_name,
    "artist_country": country_name,
    "language": language_name,
}


def change_sentence(name: str, row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `what_changed` or `label_totals`: by how much the measure `name` rose or fell."""
    change, values = row["change"], {"name": name, "now": _period(row["first_date"], row["last_date"])}
    if row["n_now"] is None:
        return fill("**{name}**: there is no figure {now}.", **values)
    values["n"] = format_number(row["n_now"])
    if change is None:
        return fill("**{name}**: {n} {now}; there is no earlier figure to compare with.", **values)
    values |= {"before": _period(row["first_date_before"], row["last_date_before"])}
    values |= {"n_before": format_number(row["n_before"])}
    values["name"] += " per day" if row.get("is_per_day") else ""
    if abs(change) < NEGLIGIBLE_CHANGE:
        return fill("**{name}** stayed level: {n} {now}, compared with {n_before} {before}.", **values)
    values |= {"moved": "rose" if change > 0 else "fell", "change": f"{abs(change):.1%}"}
    return fill("**{name}** {moved} by **{change}**: {n} {now}, compared with {n_before} {before}.", **values)


def largest_changes(movers: pl.DataFrame) -> list[Markdown]:
    """Describe the largest gain and the largest loss of the query `artist_changes`, each only if there is one."""
    gains, losses = movers.filter(pl.col("difference") > 0), movers.filter(pl.col("difference") < 0)
    largest = [gains.sort("difference").tail(1), losses.sort("difference").head(1)]
    return [artist_change_sentence(row) for rows in largest for row in rows.iter_rows(named=True)]


def artist_change_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `artist_changes`: how many plays an artist gained or lost."""
    change = "" if row["change"] is None else f" ({row['change']:+.1%})"
    verb = "gained" if row["difference"] > 0 else "lost"
    text = f"{verb} {abs(row['difference']):,} plays{change}, to {format_number(row['n_now'])}."
    return fill("**{name}** {text}", name=row["artist_name"], text=text)


PROBLEM_KINDS = ISSUE_KINDS  # of marts.catalogue_health: what pages call them
CONFLICT_KINDS = KINDS  # of marts.rights_conflicts: what pages call them


def problem_name(code: str) -> str:
    """Return what pages and reports call a problem code of marts.catalogue_health."""
    return ISSUES.get(code, code)


def with_refusal_names(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Say in words why rows were refused, in place of the reason codes in a column."""
    return rows.with_columns(pl.col(column).replace(REFUSALS))


def with_conflict_names(rows: pl.DataFrame) -> pl.DataFrame:
    """Replace the kinds of conflicts in the registry of rights by what pages call them."""
    return rows.with_columns(pl.col("kind").replace(CONFLICT_KINDS))


def conflict_names(rows: pl.DataFrame) -> dict[str, str]:
    """Return what each conflict concerns (`subject`), with its title."""
    return {subject: f"{title or '-'}, {subject}" for subject, title in rows.select("subject", "title").iter_rows()}


def display_name(row: Mapping[str, Any], name: str, key: str) -> str:
    """Return the name in column `name`, or the id in column `key` if there is no name."""
    return str(row[name] or row[key])


def breakout_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `breaking_out`."""
    plays = f"{format_number(row['n_plays'])} plays in seven days ({format_number(row['n_expected'])} expected)"
    listeners = f"{format_number(row['n_listeners'])} listeners in {row['n_countries']} countries"
    title = display_name(row, "title", "track_id")
    text = f"{plays} by {listeners}, since {format_day(row['started_on'])}."
    if not row["artist_name"]:
        return fill("**{title}**: {text}", title=title, text=text)
    return fill("**{title}** by {artist}: {text}", title=title, artist=row["artist_name"], text=text)


def outlier_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `label_outliers`."""
    text = f"{row['n_plays']:,} plays {_period(row['from_day'], row['to_day'])} ({row['n_expected']:,.0f} expected)."
    return fill("**{name}**: {text}", name=row["name"], text=text)


def chart_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `chart_movers`: a song's position, its move since last week, and its peak."""
    fixed = {"new": "new on the chart", "back": "back on the chart", "=": "unchanged from last week"}
    move = "in the chart's first week on record" if row["moved"] is None else fixed.get(row["moved"])
    move = move or f"{'up' if row['rank'] < row['rank_before'] else 'down'} from {row['rank_before']}"
    values = {"title": row["title"], "artist": row["artist"], "rank": row["rank"]}
    text = f"{move}; peak position so far {row['peak_rank']}."
    return fill("**{title}** by {artist} is at number **{rank}**, {text}", **values, text=text)


def candidate_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `chart_candidates`: its chance of the top ten as an interval, and the precedents."""
    text = f"{_similar(row['n_similar'], row['n_similar_reached'])}."
    if row["low"] is not None:
        text = f"a chance of {row['low']:.0%} to {row['high']:.0%} (95 % interval); {text}"
    return fill("**{name}**, number {rank}: {text}", name=row["name"], rank=row["rank"], text=text)


def release_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `release_days` or `release_weeks`: what was released, and when."""
    n, values = row["n_recordings"], {"title": row["title"], "artist": row["artist_name"] or "an unknown artist"}
    kind = "an album" if row["kind"] == "album" else "an EP" if row["kind"] == "EP" else "a single"
    text = f"{kind} of {n} {'recording' if n == 1 else 'recordings'}, released on {format_day(row['release_date'])}."
    return fill("**{title}** by {artist}: {text}", text=text, **values)


def release_so_far_sentence(row: Mapping[str, Any], period: str, earlier: str) -> Markdown:
    """
    Describe a row of `release_band.with_band`: the plays so far, and those of earlier releases by then.

    Args:
        row: The row, which has a figure.
        period: Name of one period: day or week.
        earlier: What the earlier releases are called: singles.
    """
    no, low, high = row["period_no"], row["so_far_low"], row["so_far_high"]
    plays, since = format_number(row["n_so_far"]), f"{no} {period}s" if no > 1 else period
    text = f"plays in the first {since}"
    if high is not None:
        is_above, is_below = row["n_so_far"] > high, low is not None and row["n_so_far"] < low
        place = "above" if is_above else "below" if is_below else "within"
        expected = f"up to {high:,.0f}" if low is None else f"{low:,.0f} to {high:,.0f}"
        text += f", {place} what was expected ({expected})"
    if row["n_earlier"]:
        text += f"; more than {row['n_lower']:,} of {row['n_earlier']:,} earlier {earlier}"
    return fill("**{plays}** {text}.", plays=plays, text=text)


def note_text(row: Mapping[str, Any]) -> str:
    """Describe a row of the queries `public_notes`, `play_notes` or `label_play_notes` in a few words."""
    kind, title, place, n = row["kind"], f"“{row['title']}”", row["place"], row["n"]
    match kind:
        case "release":
            return f"{title} released" + (f" ({n:,} recordings)" if n > 1 else "")
        case "chart entry" | "chart return":
            return f"{title} {'entered' if kind == 'chart entry' else 'returned to'} {place} at number {n}"
        case "playlist":
            return f"{title if n == 1 else f'{n:,} recordings'} added to the playlist “{place}”"
        case _:
            return f"{n:,} plays {place}"


def note_sentence(row: Mapping[str, Any]) -> Markdown:
    """Write a row of `curve_notes.notes_on` as a line of a list."""
    return fill("**{no}** · {day}: {text}.", no=row["no"], day=format_day(row["day"]), text=row["text"])


def _similar(n: int, n_reached: int) -> str:
    if not n:
        return "no similar week on record"
    return f"{n_reached:,} of {n:,} similar {'week' if n == 1 else 'weeks'} led to the top ten"


def market_sentence(row: Mapping[str, Any], whole: str) -> Markdown:
    """Describe a row of the query `market_shares`: how much more is played in a country than of `whole`."""
    values = {"name": row["name"], "ratio": f"{row['ratio']:.1f}", "whole": whole, "share": f"{row['play_share']:.1%}"}
    values |= {"home": f"{row['home_share']:.1%}", "low": f"{row['low']:.1f}", "high": f"{row['high']:.1f}"}
    text = "**{name}**: {ratio} times its share of {whole} ({share} instead of {home}; 95 % interval {low} to {high})."
    return fill(text, **values)


def exposure_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `exposure_by_country`, with the reason of a low ratio in the catalogue."""
    shares = f"{row['exposure_share']:.1%} of exposure, {row['listening_share']:.1%} of plays"
    interval = f"95 % interval {row['low']:.2f} to {row['high']:.2f}"
    values = {"name": row["name"], "ratio": f"{row['ratio']:.2f}", "text": f"({interval}): {shares}.{_reason(row)}"}
    return fill("**{name}**: lists give it **{ratio}** of its share {text}", **values)


def _reason(row: Mapping[str, Any]) -> str:
    """Say how many recordings are not available in a country, if that is a reason for few places on lists."""
    n, n_missing, usual = row["n_tracks"], row["n_unavailable"], row["home_unavailable_share"]
    if row["ratio"] > 1 or 1 - n_missing / n > NOTABLE * (1 - usual):
        return ""
    share = f"{n_missing / n:.1%}, of all recordings {usual:.1%}"
    return f" A reason: {n_missing:,} of its {n:,} recordings ({share}) are not available there."


def reached_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `label_shown`: how many listeners lists reach, and how many played the label."""
    values = {"n": format_number(row["n_shown"]), "ratio": f"{row['n_shown'] / row['n_listeners']:.2f}"}
    values |= {"listeners": format_number(row["n_listeners"]), "period": _period(row["from_day"], row["to_day"])}
    return fill("Lists reach **{n}** listeners, {ratio} times the {listeners} who played the label {period}.", **values)


def parts_sentence(what: str, parts: pl.DataFrame, count: str, share: str, name: str) -> Markdown:
    """
    Describe how a total of the last closed week divides.

    Args:
        what: What is counted, such as Plays.
        parts: One row per part, with from_day and to_day.
        count: Column of the numbers of the parts.
        share: Column of their shares, 0..1.
        name: Column of their names.
    """
    rows = parts.sort(count, descending=True).select(name, count, share).iter_rows()
    texts = [fill("**{n}** {part} ({share})", n=f"{n:,}", part=part, share=f"{of_all:.1%}") for part, n, of_all in rows]
    period = _period(parts["from_day"][0], parts["to_day"][0])
    return Markdown(f"{fill('{what} {period}', what=what, period=period)}: {', '.join(texts)}.")


def artist_market_sentence(row: Mapping[str, Any]) -> Markdown:
    """Describe a row of the query `label_markets`: how much more an artist is played in a country than the label."""
    values = {"name": row["name"], "low": f"{row['low']:.1f}", "high": f"{row['high']:.1f}", "n": f"{row['ratio']:.1f}"}
    return fill("**{name}**: about {n} times its share of the label's plays ({low} to {high}).", **values)


def _period(first: date, last: date) -> str:
    return f"on {format_day(last)}" if first == last else f"from {first.day} {first:%B} to {last.day} {last:%B}"


def with_code_names(rows: pl.DataFrame, column: str, kind: str) -> pl.DataFrame:
    """
    Name the countries or languages in a column of codes, or of lists of codes.

    Args:
        rows: The rows.
        column: Column of codes; what is no code stays as it is.
        kind: What they are codes of, a key of CODE_NAMES; rows with groups of another kind stay as they are.
    """
    name = CODE_NAMES.get(kind)
    if name is None:
        return rows
    codes = pl.element() if rows.schema[column] == pl.List else pl.col(column)
    named = codes.map_elements(name, return_dtype=pl.String)
    return rows.with_columns(pl.col(column).list.eval(named) if rows.schema[column] == pl.List else named)


def with_playlist_names(adds: pl.DataFrame) -> pl.DataFrame:
    """Add to the titles of recordings which playlist they were added to: one may be on several."""
    return adds.with_columns(title=pl.format("{}, on {}", pl.coalesce("title", "track_id"), "playlist"))


def without_underscores(rows: pl.DataFrame, column: str) -> pl.DataFrame:
    """Write the codes of a column as words: wrong artist for wrong_artist."""
    return rows.with_columns(pl.col(column).str.replace_all("_", " "))


def format_times(rows: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Format columns of seconds as times of a player: 1:05.0."""
    return rows.with_columns(pl.col(name).map_elements(format_duration, return_dtype=pl.String) for name in columns)
