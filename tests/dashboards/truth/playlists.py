"""Effects of playlist adds, computed from the rows of the lake: for operators, and for labels from closed weeks."""

from datetime import timedelta

import polars as pl

from .closings import Closings, Period
from .page import Truth, written
from .rows import ONE_DAY, Lake, monday

WEEK = timedelta(days=7)
LEAST_PLAYS, LEAST_CONTROLS, DAYS = 4, 10, 28
N_SHOWN = 50
SHOWN = ("added_on", "plays_before", "plays_after", "control_lift", "lift", "low", "high", "n_controls")


def effects(lake: Lake) -> pl.DataFrame:
    """
    Compare plays four weeks after and before each playlist add with recordings that were added nowhere.

    Returns:
        track_id, title, label_id, playlist_id, week (Monday), SHOWN and error, one row per add that has controls.
    """
    adds = lake.table("playlists").drop_nulls("added_at").group_by("track_id", "playlist_id")
    weeks = adds.agg(pl.col("added_at").min()).with_columns(week=monday("added_at").dt.date())
    is_whole = (pl.col("week") - 4 * WEEK >= lake.first_day) & (pl.col("week") + 5 * WEEK - ONE_DAY <= lake.last_day)
    found = [_compared(lake, weeks, week) for week in weeks.filter(is_whole)["week"].unique().sort()]
    names = lake.tracks.select("track_id", "title", "label_id")
    return pl.concat(found).join(names, on="track_id", how="left")


def _compared(lake: Lake, adds: pl.DataFrame, week: object) -> pl.DataFrame:
    """Return the adds of one week with their lift."""
    day, released = pl.col("day"), pl.col("release_date")
    rows = lake.rows.filter(released.is_null() | (released <= pl.lit(week) - 4 * WEEK), pl.col("n_plays") > 0)
    before, after = (
        pl.col("n_plays").filter(day.is_between(pl.lit(week) + start, pl.lit(week) + start + 4 * WEEK - ONE_DAY)).sum()
        for start in (-4 * WEEK, WEEK)
    )
    counts = rows.group_by("track_id", "genre").agg(before=before, after=after).filter(pl.col("before") >= LEAST_PLAYS)
    near = adds.filter(pl.col("week").is_between(pl.lit(week) - 4 * WEEK, pl.lit(week) + 4 * WEEK))
    changes = counts.with_columns(
        change=((pl.col("after") + 0.5) / (pl.col("before") + 0.5)).log(),
        doubling=pl.col("before").log(2).floor(),
        is_control=~pl.col("track_id").is_in(near["track_id"].implode()),
    )
    controls = (
        changes.filter("is_control")
        .group_by("genre", "doubling")
        .agg(n_controls=pl.len().cast(pl.Int64), usual=pl.col("change").mean(), variance=pl.col("change").var())
    )
    added = adds.filter(week=week).join(changes, on="track_id").join(controls, on=["genre", "doubling"])
    effect, error = pl.col("change") - pl.col("usual"), (pl.col("variance") * (1 + 1 / pl.col("n_controls"))).sqrt()
    return added.filter(pl.col("n_controls") >= LEAST_CONTROLS).select(
        "track_id",
        "playlist_id",
        "week",
        "n_controls",
        added_on=pl.col("added_at").dt.date(),
        plays_before=pl.col("before") / DAYS,
        plays_after=pl.col("after") / DAYS,
        control_lift=pl.col("usual").exp(),
        lift=effect.exp(),
        low=(effect - 1.96 * error).exp(),
        high=(effect + 1.96 * error).exp(),
        error=error,
    )


def operators_page(lake: Lake, label: str, order: str) -> Truth:
    """Return the page Playlists of an operator, of all playlists."""
    every = effects(lake)
    own = every.filter(label_id=label) if label else every
    significance = pl.col("lift").log().abs() / pl.col("error")
    newest = [pl.col("week"), pl.col("lift").round(6)] if order == "week" else []
    ordered = own.sort(
        *newest, significance, "track_id", "playlist_id", descending=[*(True for _ in newest), True, False, False]
    )
    lists = own.group_by("playlist_id").agg(n_effects=pl.len().cast(pl.Int64), lift=pl.col("lift").log().mean().exp())
    largest = lists.sort("n_effects", pl.col("lift").round(6), "playlist_id", descending=[True, True, False])
    if own.is_empty():
        return Truth()
    shown = ordered.select(SHOWN).head(N_SHOWN)
    playlists = largest.select("n_effects", "lift").head(N_SHOWN)
    cuts = [
        (shown.height, own.height, "Choose a label or a playlist."),
        (playlists.height, largest.height, "Choose a label."),
    ]
    texts = [f"{n:,} of {n_all:,} are shown. {remedy}" for n, n_all, remedy in cuts if n < n_all]
    return Truth(rows={"effects": shown, "adds": shown, "playlists": playlists}, texts=texts)


def labels_page(closings: Closings, label: str) -> Truth:
    """Return the page Playlists of a label, from its closed weeks."""
    weeks = closings.weeks(label, "n_playlist_adds")
    if not weeks:
        return Truth(texts=["No week of playlist adds has been closed yet. It needs enough listeners who added."])
    rows = [(*week, _n_days(week), cell.value, cell.value / _n_days(week)) for week, cell in sorted(weeks.items())]
    columns = ("from_day", "to_day", "n_days", "n_playlist_adds", "adds_a_day")
    frame = pl.DataFrame(rows, columns, orient="row").with_columns(is_withheld=pl.lit(value=False))
    since = f"Closed weeks since {written(min(weeks)[0])}, when these figures begin."
    found = labels_effects(closings, label)
    if found.is_empty():
        nothing = "No recording was added to playlists by 20 listeners in one week."
        more = "Effects need a figure of the adds, and of plays in the four weeks before and after."
        return Truth(rows={"playlist_adds": frame}, texts=[since, f"{nothing} {more}"])
    return Truth(rows={"playlist_adds": frame, "playlist_effects": found}, texts=[since])


def _n_days(period: Period) -> int:
    return (period[1] - period[0]).days + 1


def labels_effects(closings: Closings, label: str) -> pl.DataFrame:
    """Return the effects of weeks in which a recording has a figure of adds."""
    titles = dict(closings.lake.tracks.select("track_id", "title").iter_rows())
    found = []
    for week in closings.weeks(label, "n_playlist_adds"):
        artists = [artist for artist in closings.cells(label, "n_playlist_adds", week, "artist") if artist]
        for artist in artists:
            for track, cell in closings.cells(label, "n_playlist_adds", week, "recording", artist).items():
                before, after = (_plays(closings, label, artist, track, *span) for span in _spans(week))
                if track and before and after:
                    (own, total), (own_after, total_after) = before, after
                    control = (total_after - own_after) / (total - own)
                    counts = (cell.value, own / DAYS, own_after / DAYS, control, own_after / own / control)
                    found.append((titles[track], *week, *counts))
    columns = ("title", "from_day", "to_day", "n_playlist_adds", "plays_before", "plays_after", "control_lift", "lift")
    return (
        pl.DataFrame(found, columns, orient="row").sort("to_day", "lift", descending=True) if found else pl.DataFrame()
    )


def _spans(week: Period) -> list[Period]:
    first, last = week
    return [(first - DAYS * ONE_DAY, first - ONE_DAY), (last + ONE_DAY, last + DAYS * ONE_DAY)]


def _plays(closings: Closings, label: str, artist: str, track: str | None, *span: object) -> tuple[int, int] | None:
    """Return the plays of a recording and of its label in days that closed weeks with figures cover, else None."""
    first, last = span
    weeks = [week for week in closings.weeks(label, "n_plays") if week[0] >= first and week[1] <= last]  # type: ignore[operator]
    if sum(map(_n_days, weeks)) != DAYS:
        return None
    cells = [closings.cells(label, "n_plays", week, "recording", artist).get(track) for week in weeks]
    if None in cells:
        return None
    return sum(cell.value for cell in cells if cell), sum(
        closings.weeks(label, "n_plays")[week].value for week in weeks
    )
