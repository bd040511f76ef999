"""Small random worlds of listening that arrives in batches, and a second way to close them: row by row, with memory."""

import random
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from types import MappingProxyType
from typing import Any

import polars as pl

from recsys.ledger.close import Closing, close
from recsys.ledger.lines import MEASURES, Lines
from recsys.ledger.settings import LabelSettings

MONDAY = date(2026, 3, 2)
SETTINGS = LabelSettings(min_listeners=3, max_top_two=0.9, close_days=1)
COUNTRIES, AGES, GENDERS = ("SE", "BR", "unknown"), ("18-24", "25-34"), ("female", "male", "unknown")


@dataclass(frozen=True)
class Row:
    """Plays of one recording by one listener on one day, from one batch."""

    user: str
    track: str
    day: date
    batch: int
    plays: int


@dataclass
class World:
    """What has arrived, and which label each recording has at the moment."""

    rng: random.Random
    n_users: int = 12
    n_tracks: int = 9
    rows: list[Row] = field(default_factory=list)
    labels: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Give each recording a label or none."""
        for number in range(self.n_tracks):
            self.labels[f"t{number}"] = self.rng.choice(["one", "one", "two", "three", None])

    def next_day(self, day_no: int) -> None:
        """Let a batch arrive, mostly of the last day, and sometimes move a recording to another label."""
        for _ in range(self.rng.randrange(4, 40)):
            age = self.rng.choice([0] * 12 + [1, 2, 5, 9, 13])
            self.rows.append(
                Row(
                    f"u{self.rng.randrange(self.n_users)}",
                    f"t{min(self.rng.randrange(self.n_tracks), self.rng.randrange(self.n_tracks))}",
                    MONDAY + timedelta(days=max(0, day_no - age)),
                    day_no + 1,
                    self.rng.choice([1, 1, 1, 2, 9]),
                )
            )
        if self.rng.random() < 0.2:
            self.labels[self.rng.choice(sorted(self.labels))] = self.rng.choice(["one", "two", "three", None])


def frame(rows: list[Row]) -> pl.DataFrame:
    """Return the rows as the step reads them; only plays are set."""
    keys = ("user_id", "track_id", "listen_date", "batch_no", "n_plays")
    values = [(row.user, row.track, row.day, row.batch, row.plays) for row in rows]
    table = pl.DataFrame(
        values, dict(zip(keys, (pl.String, pl.String, pl.Date, pl.Int64, pl.Int64), strict=True)), orient="row"
    )
    zeros = [pl.lit(0, pl.Int64).alias(name) for name in MEASURES[1:]]
    sources = {"n_active_plays": pl.col("n_plays") // 2, "n_algorithmic_plays": pl.lit(0, pl.Int64)}
    return table.group_by(keys[:4]).agg(pl.col("n_plays").sum()).with_columns(*zeros, **sources)


def listeners(n: int) -> pl.DataFrame:
    """Return the groups of listeners."""
    rows = [(f"u{i}", COUNTRIES[i % 3], AGES[i % 2], GENDERS[i // 2 % 3]) for i in range(n)]
    return pl.DataFrame(rows, ["user_id", "country", "age_band", "gender"], orient="row")


def catalogue(labels: dict[str, str | None]) -> pl.DataFrame:
    """Return artist and label of each recording; three recordings per artist."""
    rows = [(track, f"a{int(track[1:]) // 3}", label) for track, label in labels.items()]
    return pl.DataFrame(rows, {"track_id": pl.String, "artist_id": pl.String, "label_id": pl.String}, orient="row")


def close_day(
    world: World,
    ledger: Lines,
    day_no: int,
    settings: LabelSettings = SETTINGS,
    *,
    key: bytes | None = None,
    kept_from: Mapping[str, date] = MappingProxyType({}),
) -> Lines:
    """
    Close one day with all rows that have arrived.

    With a key, shares of artists are written. `kept_from` says which rows have been removed since.
    """
    as_of = MONDAY + timedelta(days=day_no)
    closing = Closing(ledger.next_no, f"run {day_no}", as_of, day_no + 1, settings, key, kept_from=kept_from)
    return close(frame(world.rows).lazy(), catalogue(world.labels), listeners(world.n_users), ledger, closing)


def does_pass(rows: list[Row], settings: LabelSettings = SETTINGS) -> bool:
    """Return whether rows pass the test."""
    by_user: dict[str, int] = defaultdict(int)
    for row in rows:
        by_user[row.user] += row.plays
    values = sorted(by_user.values())
    return len(values) >= settings.min_listeners and sum(values[-2:]) <= settings.max_top_two * sum(values)


Block = tuple[str, date, date, int, bool]  # label, first and last day, closing, whether it is late


@dataclass
class Memory:
    """The second way: it remembers for each row which line counted it, which the ledger itself never stores."""

    settings: LabelSettings = SETTINGS
    labels: tuple[str, ...] = ("one", "two", "three")
    closing_no: int = 0
    counted: dict[int, Block] = field(default_factory=dict)  # position of a row -> the block that counts it
    days: dict[str, list[tuple[date, date]]] = field(default_factory=lambda: defaultdict(list))
    weeks: dict[str, list[tuple[date, date]]] = field(default_factory=lambda: defaultdict(list))
    of_day: dict[tuple[str, date], list[int]] = field(default_factory=dict)  # label, last day of a line -> its rows

    def close(self, world: World, day_no: int) -> set[tuple[Any, ...]]:
        """Close one day; return label, dimension, first day, last day, value and whether it is late, per line."""
        last_day = MONDAY + timedelta(days=day_no - 1)
        self.closing_no += 1
        lines: set[tuple[Any, ...]] = set()
        for label in self.labels:
            own = [n for n, row in enumerate(world.rows) if world.labels[row.track] == label and n not in self.counted]
            closed_before = list(self.weeks[label])
            lines |= self._close_days(world, label, own, last_day)
            lines |= self._close_weeks(world, label, last_day)
            lines |= self._close_late(world, label, [n for n in own if n not in self.counted], closed_before)
        return lines

    def _close_days(self, world: World, label: str, own: list[int], last_day: date) -> set[tuple[Any, ...]]:
        closed = self.days[label][-1][1] if self.days[label] else date.min
        fresh = [n for n in own if closed < world.rows[n].day <= last_day]
        lines: set[tuple[Any, ...]] = set()
        start = closed + timedelta(days=1)
        if fresh and not self.days[label]:
            start = min(world.rows[n].day for n in fresh)
        waiting: list[int] = []
        for day in sorted({world.rows[n].day for n in fresh}):
            waiting += [n for n in fresh if world.rows[n].day == day]
            if does_pass([world.rows[n] for n in waiting], self.settings):
                lines.add((label, "day", start, day, _sum(world, waiting), False))
                self.days[label].append((start, day))
                self.of_day[label, day] = waiting
                self._count(waiting, label, start, day)
                start, waiting = day + timedelta(days=1), []
        return lines

    def _close_weeks(self, world: World, label: str, last_day: date) -> set[tuple[Any, ...]]:
        done = self.weeks[label][-1][1] if self.weeks[label] else date.min
        by_week: dict[date, list[tuple[date, date]]] = defaultdict(list)
        for first, last in self.days[label]:
            sunday = last + timedelta(days=6 - last.weekday())
            if last > done and sunday <= last_day:
                by_week[sunday].append((first, last))
        lines: set[tuple[Any, ...]] = set()
        for _, days in sorted(by_week.items()):
            rows = [n for _, last in days for n in self.of_day[label, last]]
            lines.add((label, "week", days[0][0], days[-1][1], _sum(world, rows), False))
            self.weeks[label].append((days[0][0], days[-1][1]))
            self._count(rows, label, days[0][0], days[-1][1])
        return lines

    def _close_late(
        self, world: World, label: str, waiting: list[int], weeks: list[tuple[date, date]]
    ) -> set[tuple[Any, ...]]:
        done = weeks[-1][1] if weeks else date.min
        late = [n for n in waiting if world.rows[n].day <= done]
        lines: set[tuple[Any, ...]] = set()
        for first, last in weeks:
            rows = [n for n in late if first <= world.rows[n].day <= last]
            if does_pass([world.rows[n] for n in rows], self.settings):
                lines.add((label, "week", first, last, _sum(world, rows), True))
                self._count(rows, label, first, last, is_late=True)
        rest = [n for n in late if n not in self.counted]
        if does_pass([world.rows[n] for n in rest], self.settings):
            days = [world.rows[n].day for n in rest]
            lines.add((label, "late", min(days), max(days), _sum(world, rest), True))
            self._count(rest, label, min(days), max(days), is_late=True)
        return lines

    def _count(self, rows: list[int], label: str, first: date, last: date, *, is_late: bool = False) -> None:
        self.counted.update(dict.fromkeys(rows, (label, first, last, self.closing_no, is_late)))


def _sum(world: World, rows: list[int]) -> int:
    return sum(world.rows[n].plays for n in rows)
