"""
Close periods: write the lines of days and weeks that have ended, and of late rows.

A day is closed for a label and a measure if the rows since its last closed day pass the test (see `cells`); otherwise
it stays open, and the line that closes it later covers several days. When a week has ended, the days that were closed
in it form a period, whose total is partitioned into cells along each dimension: exactly the rows that its days count.
Late rows of a closed week that pass the test among themselves are a second set of lines of the week. All others wait,
and are counted together in a line 'late' once they pass.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from heapq import nlargest

import polars as pl

from recsys.columns import schema
from recsys.ledger.cells import does_pass, passes, summed
from recsys.ledger.counted import containing, with_lines
from recsys.ledger.crossed import shares_of_artists
from recsys.ledger.dimensions import PERIOD, SOURCES, as_lines, lines_of_cells, lines_of_listeners
from recsys.ledger.lines import (
    AUDIENCES,
    CLOSINGS_COLUMNS,
    DAY,
    FIGURES_COLUMNS,
    LATE,
    LISTENER_SHARE,
    LISTENERS,
    MEASURES,
    PLAYS,
    SHARE,
    TABLE_OF_MEASURE,
    WEEK,
    Lines,
)
from recsys.ledger.loyalty import NO_DAYS, with_loyalty
from recsys.ledger.overlap import NO_FAVOURITES, lines_of_overlap
from recsys.ledger.settings import LabelSettings
from recsys.ledger.shown import NO_LISTS, lines_of_lists

ONE_DAY = timedelta(days=1)
_NAMES = ("user_id", "track_id", "artist_id", *AUDIENCES)
_REMOVED = "removed"
CHUNK_ROWS = 1_000_000  # rows that are closed at a time, about 1 GB
FIGURES_SCHEMA = schema(FIGURES_COLUMNS)
PERIOD_SCHEMA = pl.Schema({name: FIGURES_SCHEMA[name] for name in (*PERIOD, "value")})


@dataclass(frozen=True)
class Closing:
    """
    A closing.

    Attributes:
        no: Its number, from 1.
        run_id: The run.
        as_of: Last day of the run's data.
        last_batch: Largest batch number of the lake.
        settings: The test, and how long after its end a period is closed.
        noise_key: Secret of the noise of artists' shares and overlaps; None: none are written.
        kept_from: Raw table -> first day of which the lake keeps rows, of tables with a limit; no line of a closing
            begins earlier.
    """

    no: int
    run_id: str
    as_of: date
    last_batch: int
    settings: LabelSettings
    noise_key: bytes | None = field(default=None, repr=False)
    kept_from: Mapping[str, date] = field(default_factory=dict)

    @property
    def last_day(self) -> date:
        """The last day that may be closed."""
        return self.as_of - timedelta(days=self.settings.close_days)

    @property
    def closed_on(self) -> date:
        """The day after the data ends."""
        return self.as_of + ONE_DAY

    def as_table(self) -> pl.DataFrame:
        """Return its row, with CLOSINGS_COLUMNS."""
        least = self.settings.min_listeners
        row = (self.no, self.run_id, self.as_of, self.last_day, self.last_batch, least, False)
        return pl.DataFrame([row], schema(CLOSINGS_COLUMNS), orient="row")


def close(
    rows: pl.LazyFrame,
    catalogue: pl.DataFrame,
    listeners: pl.DataFrame,
    ledger: Lines,
    closing: Closing,
    *,
    days_of_listeners: pl.LazyFrame = NO_DAYS,
    favourites: pl.LazyFrame = NO_FAVOURITES,
    lists: pl.DataFrame = NO_LISTS,
) -> Lines:
    """
    Return what a closing adds to the ledger; nothing if the ledger has been closed for this date or a later one.

    Args:
        rows: Plays and reactions by user_id, track_id, listen_date and batch_no: MEASURES and the columns of SOURCES.
            Rows that no line counts yet, and rows of days whose week is open; others may be among them. Collected for a
            few labels at a time.
        catalogue: track_id, artist_id, label_id; null where unknown.
        listeners: user_id and AUDIENCES, 'unknown' where unknown.
        ledger: The lines of earlier closings.
        closing: This closing.
        days_of_listeners: The days on which each listener played each label (see `loyalty.with_loyalty`); without them,
            the loyalty of every listener is unknown.
        favourites: The artists that count for each listener in each month (see `overlap.lines_of_overlap`).
        lists: user_id, track_id and rank of the lists that listeners see.
    """
    if ledger.as_of is not None and closing.as_of <= ledger.as_of:
        return Lines.of({})
    tracks = _label_changes(catalogue, ledger, closing.no)
    added = Lines.of({"label_tracks": tracks, "label_closings": closing.as_table()})
    known = ledger + added
    waiting = _since_restart(rows, ledger)
    figures = [pl.DataFrame(schema=FIGURES_SCHEMA)]
    for labels in _chunks(waiting, known.tracks):
        of_labels = known.tracks.filter(pl.col("label_id").is_in(labels)).select("track_id").unique()
        part = (
            waiting.join(of_labels.lazy(), on="track_id", how="semi")
            .collect()
            .join(listeners, on="user_id", how="left")
        )
        detailed = part.join(catalogue.select("track_id", "artist_id"), on="track_id", how="left")
        figures += [
            _figures(detailed, measure, known, closing, labels, days_of_listeners=days_of_listeners)
            for measure in MEASURES
        ]
    closed = pl.concat(figures)
    weeks = closed.filter(dimension=WEEK, measure=PLAYS, is_late=False)
    shown = _signed(lines_of_lists(lists, catalogue, weeks, closing.settings), closing)
    overlap = _overlap(favourites, catalogue, ledger, closing)
    return added + Lines.of({"label_figures": pl.concat([closed, shown, overlap])})


def _overlap(favourites: pl.LazyFrame, catalogue: pl.DataFrame, ledger: Lines, closing: Closing) -> pl.DataFrame:
    """
    Return the lines of the months that have ended since the last closing.

    None are written of months that began before a restart of the ledger, or whose first days are not kept.
    """
    if closing.noise_key is None:
        return pl.DataFrame(schema=FIGURES_SCHEMA)
    restart, month_start = ledger.closings.filter("is_restart")["last_day"].max(), pl.col("to_day").dt.month_start()
    whole = favourites.filter(
        month_start > (restart or date.min), month_start >= closing.kept_from.get("listens", date.min)
    )
    days = ledger.closings["last_day"].max(), closing.last_day
    lines = lines_of_overlap(whole, catalogue, days, closing.settings, closing.noise_key)  # type: ignore[arg-type]
    return _signed(lines.with_columns(measure=pl.lit(LISTENER_SHARE)), closing)


def _chunks(rows: pl.LazyFrame, tracks: pl.DataFrame) -> list[list[str]]:
    """Split the labels into groups whose recordings have about CHUNK_ROWS rows together, to bound memory."""
    owned = tracks.filter(pl.col("label_id").is_not_null()).select("track_id", "label_id").unique()
    counted = rows.group_by("track_id").len().collect().join(owned, on="track_id")
    sizes = counted.group_by("label_id").agg(pl.col("len").sum()).sort("label_id")
    number = (sizes["len"].cum_sum() - 1) // CHUNK_ROWS
    parts = sizes.with_columns(chunk=number).partition_by("chunk", maintain_order=True)
    return [part["label_id"].to_list() for part in parts]


def _label_changes(catalogue: pl.DataFrame, ledger: Lines, no: int) -> pl.DataFrame:
    """Return the recordings whose label differs from the last that the ledger knows."""
    last = ledger.tracks.sort("since_no").unique("track_id", keep="last").select("track_id", last="label_id")
    now = catalogue.select("track_id", "label_id").join(last, on="track_id", how="left", maintain_order="left")
    changed = now.filter(pl.col("label_id").ne_missing(pl.col("last"))).sort("track_id")
    return changed.select("track_id", "label_id", since_no=pl.lit(no, pl.Int64))


def _since_restart(rows: pl.LazyFrame, ledger: Lines) -> pl.LazyFrame:
    """Leave out the rows before a new start of the ledger, which no line will ever count."""
    start = ledger.closings.filter("is_restart")["last_day"].max()
    return rows if start is None else rows.filter(pl.col("listen_date") > start)


def _figures(
    rows: pl.DataFrame,
    measure: str,
    ledger: Lines,
    closing: Closing,
    labels: list[str],
    *,
    days_of_listeners: pl.LazyFrame,
) -> pl.DataFrame:
    """Return the new lines of one measure and some labels, from all rows of the recordings that they have ever had."""
    of_measure = _of_measure(rows, measure)
    if of_measure.is_empty():
        return pl.DataFrame(schema=FIGURES_SCHEMA)
    found = with_lines(of_measure, ledger, measure).filter(pl.col("label_id").is_in(labels))
    waiting = found.filter(pl.col("counted_no").is_null() & pl.col("is_current"))
    old = ledger.figures.filter(pl.col("label_id").is_in(labels), measure=measure, is_late=False)
    days, just_counted = _close_days(
        waiting.filter(pl.col("day_no").is_null()), old, closing, closing.kept_from.get(TABLE_OF_MEASURE[measure])
    )
    counted = pl.concat([found.filter(pl.col("is_on_time") & pl.col("to_day").is_null()), just_counted])
    weeks, remaining = _close_weeks(counted, _open_days(old, days), closing.last_day)
    of_weeks = _with_removed(remaining, weeks)
    late = _without_voids(waiting.filter(pl.col("to_day").is_not_null()), ledger.voids)
    second, of_second, rest = _second_sets(late, closing.settings)
    if measure == PLAYS:
        of_weeks, of_second = (with_loyalty(counted, days_of_listeners) for counted in (of_weeks, of_second))
    new = [
        as_lines(days, DAY),
        as_lines(weeks, WEEK),
        *lines_of_cells(of_weeks, measure, closing.settings),
        as_lines(second, WEEK, is_late=True),
        *lines_of_cells(of_second, measure, closing.settings, is_late=True),
        as_lines(_pooled(rest, closing.settings), LATE, is_late=True),
    ]
    figures = pl.concat(new).with_columns(measure=pl.lit(measure))
    more = [_beside_plays(of_weeks, closing)] if measure == PLAYS else []
    return _signed(pl.concat([figures, *more]), closing)


def _signed(figures: pl.DataFrame, closing: Closing) -> pl.DataFrame:
    """Return lines with FIGURES_COLUMNS: with the closing that wrote them."""
    signed = figures.with_columns(
        closing_no=pl.lit(closing.no, pl.Int64),
        closed_by_run=pl.lit(closing.run_id),
        closed_on=pl.lit(closing.closed_on),
    )
    return signed.select(FIGURES_SCHEMA.names()).cast(FIGURES_SCHEMA)


def _beside_plays(of_weeks: pl.DataFrame, closing: Closing) -> pl.DataFrame:
    """Return the lines of weeks that are computed from plays: listeners, and the shares of artists."""
    listeners = pl.concat(lines_of_listeners(of_weeks, closing.settings)).with_columns(measure=pl.lit(LISTENERS))
    if closing.noise_key is None:
        return listeners
    shares = shares_of_artists(of_weeks, closing.settings, closing.noise_key)
    of_artists = [as_lines(of_dimension, name) for name, of_dimension in shares.items()]
    return pl.concat([listeners, *(lines.with_columns(measure=pl.lit(SHARE)) for lines in of_artists)])


def _of_measure(rows: pl.DataFrame, measure: str) -> pl.DataFrame:
    """Return the rows with a value of the measure, and only the columns that its lines need."""
    sources = (PLAYS, *SOURCES) if measure == PLAYS else ()
    keys = ("user_id", "track_id", "artist_id", "listen_date", "batch_no", *AUDIENCES)
    chosen = rows.filter(pl.col(measure) > 0).select(*keys, *sources, value=measure)
    return chosen.with_row_index("source_row")


def _close_days(
    rows: pl.DataFrame, old: pl.DataFrame, closing: Closing, kept_from: date | None
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Close the days of each label, in order.

    Args:
        rows: Rows of days that are open for their label.
        old: The lines of earlier closings.
        closing: This closing.
        kept_from: The first day of which rows are kept; None if all are.

    Returns:
        The new lines of days (PERIOD and value), and the rows that they count.
    """
    rows = rows.filter(pl.col("listen_date") <= closing.last_day)
    closed_until = dict(old.filter(dimension=DAY).group_by("label_id").agg(pl.col("to_day").max()).iter_rows())
    by_listener = rows.group_by("label_id", "listen_date", "user_id").agg(pl.col("value").sum())
    lines = []
    for (label_id,), of_label in sorted(by_listener.partition_by("label_id", as_dict=True).items()):
        days = of_label.group_by("listen_date").agg("user_id", "value").sort("listen_date")
        before = closed_until.get(label_id)
        start = max(before + ONE_DAY if before else days["listen_date"][0], kept_from or date.min)
        lines += [(label_id, *line) for line in _days_that_pass(start, days, closing.settings)]
    found = pl.DataFrame(lines, PERIOD_SCHEMA, orient="row")
    until = found.group_by("label_id").agg(until=pl.col("to_day").max())
    return found, rows.join(until, on="label_id").filter(pl.col("listen_date") <= pl.col("until")).drop("until")


def _days_that_pass(start: date, days: pl.DataFrame, settings: LabelSettings) -> Iterator[tuple[date, date, int]]:
    """Yield first day, last day and value of each line: days are added up until they pass the test."""
    sums: Counter[str] = Counter()
    for day, listeners, values in days.iter_rows():
        for listener, value in zip(listeners, values, strict=True):
            sums[listener] += value
        total = sums.total()
        if passes(len(sums), total, sum(nlargest(2, sums.values())), settings):
            yield start, day, total
            start, sums = day + ONE_DAY, Counter()


def _open_days(old: pl.DataFrame, days: pl.DataFrame) -> pl.DataFrame:
    """Return the lines of days, earlier and new ones, that no line of a week includes yet."""
    last = old.filter(dimension=WEEK).group_by("label_id").agg(last=pl.col("to_day").max())
    every = pl.concat([old.filter(dimension=DAY).select(PERIOD_SCHEMA.names()), days])
    return (
        every.join(last, on="label_id", how="left")
        .filter((pl.col("to_day") > pl.col("last")).fill_null(value=True))
        .drop("last")
    )


def _close_weeks(counted: pl.DataFrame, days: pl.DataFrame, last_day: date) -> tuple[pl.DataFrame, pl.DataFrame]:
    """
    Close the weeks that have ended, each with the days that were closed in it.

    Args:
        counted: The rows that lines of days count and no line of a week does.
        days: These lines of days.
        last_day: The last day that may be closed.

    Returns:
        The new lines of weeks (PERIOD and value), and the rows that they count, with PERIOD.
    """
    ended = days.with_columns(sunday=pl.col("to_day").dt.truncate("1w").dt.offset_by("6d")).filter(
        pl.col("sunday") <= last_day
    )
    weeks = (
        ended.group_by("label_id", "sunday")
        .agg(pl.col("from_day").min(), pl.col("to_day").max(), pl.col("value").sum())
        .select(PERIOD_SCHEMA.names())
        .sort("to_day")
    )
    return weeks, containing(counted.drop("from_day", "to_day"), weeks.drop("value")).filter(
        pl.col("to_day").is_not_null()
    )


def _with_removed(rows: pl.DataFrame, weeks: pl.DataFrame) -> pl.DataFrame:
    """
    Add one row per week for what its days count, but no row has any more: it was erased or taken back since.

    The row is of a listener, an artist, a recording and groups of its own, so that it is merged with others along each
    dimension: the parts of a week add up to its days, and no part reveals what was removed.
    """
    found = rows.group_by(PERIOD).agg(found=pl.col("value").sum())
    missing = pl.col("value") - pl.col("found").fill_null(0)
    lost = (
        weeks.join(found, on=PERIOD, how="left").with_columns(value=missing).drop("found").filter(pl.col("value") > 0)
    )
    names = [name for name in _NAMES if name in rows.columns]
    plays = [pl.col("value").alias(PLAYS)] if PLAYS in rows.columns else []
    removed = lost.with_columns(*(pl.lit(_REMOVED).alias(name) for name in names), *plays)
    return pl.concat([rows, removed.cast({name: rows.schema[name] for name in removed.columns})], how="diagonal")


def _second_sets(rows: pl.DataFrame, settings: LabelSettings) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    """Return the second lines of weeks whose late rows pass among themselves; the rows they count; and all others."""
    sums = summed(rows.filter(pl.col("from_day") <= pl.col("listen_date")), PERIOD).filter(does_pass(settings))
    counted = rows.filter(pl.col("from_day") <= pl.col("listen_date")).join(sums, on=PERIOD, how="semi")
    rest = rows.join(counted.select("source_row"), on="source_row", how="anti")
    return sums.select(PERIOD_SCHEMA.names()), counted, rest


def _pooled(rows: pl.DataFrame, settings: LabelSettings) -> pl.DataFrame:
    """Return a line for each label whose waiting late rows pass the test together; from its first to its last day."""
    days = rows.group_by("label_id").agg(from_day=pl.col("listen_date").min(), to_day=pl.col("listen_date").max())
    sums = summed(rows, ["label_id"]).filter(does_pass(settings))
    return sums.join(days, on="label_id").select(PERIOD_SCHEMA.names())


def _without_voids(rows: pl.DataFrame, voids: pl.DataFrame) -> pl.DataFrame:
    """Leave out the rows of weeks that overlap a period that the operator has voided: they never get second lines."""
    voided = (
        rows.select("source_row", "label_id", "from_day", "to_day")
        .join(voids, on="label_id", suffix="_void")
        .filter((pl.col("from_day") <= pl.col("to_day_void")) & (pl.col("to_day") >= pl.col("from_day_void")))
    )
    return rows.join(voided, on="source_row", how="anti")
