"""The audit of sixty nights: all lines of all labels are safe, and three planted leaks are found."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from typing_extensions import override

from recsys.ledger import cells, dimensions
from recsys.ledger.audit import Attack, audit
from recsys.ledger.audit_table import N_AVERAGE, SMALL
from recsys.ledger.blocks import BLOCK, GROUP
from recsys.ledger.crossed import noise_key
from recsys.ledger.lines import Lines
from recsys.ledger.settings import LabelSettings

from .attacks import matches, sums_of, truth
from .worlds import MONDAY, Memory, Row, World, close_day, listeners

N_NIGHTS = 60
SETTINGS = LabelSettings()
LABELS = ("one", "two", "three", "own")
KEY = noise_key(b"k" * 32)
OWN = [f"u{n}" for n in range(10)]  # accounts of the label 'own'


@dataclass
class Nights(World):
    """Listening in batches of each night, some of it late; recordings t9 to t11 belong to a label with accounts."""

    n_users: int = 70
    arrived: list[int] = field(default_factory=list)  # number of rows after each night

    @override
    def __post_init__(self) -> None:
        """Give each recording a label or none."""
        super().__post_init__()
        self.labels |= dict.fromkeys(["t9", "t10", "t11"], "own")

    @override
    def next_day(self, day_no: int) -> None:
        """Let a batch arrive; every fifth day and a whole week are quiet."""
        is_quiet = day_no % 5 == 3 or 28 <= day_no < 35
        for _ in range(3 if is_quiet else 240):
            age = self.rng.choice([0] * 12 + [1, 2, 5, 9, 13])
            track = f"t{min(self.rng.randrange(12), self.rng.randrange(16))}"
            self._add(f"u{self.rng.randrange(self.n_users)}", track, day_no - age, day_no)
        for user in OWN:
            self._add(user, self.rng.choice(["t9", "t10"]), day_no, day_no, n_plays=self.rng.randrange(1, 9))
        if self.rng.random() < 0.2:
            self.labels[f"t{self.rng.randrange(9)}"] = self.rng.choice(["one", "two", "three", None])
        self.arrived.append(len(self.rows))

    def _add(self, user: str, track: str, day: int, day_no: int, n_plays: int = 0) -> None:
        plays = n_plays or self.rng.choice([1, 1, 1, 2, 9])
        self.rows.append(Row(user, track, MONDAY + timedelta(days=max(0, day)), day_no + 1, plays))


def simulate(n_nights: int = N_NIGHTS) -> tuple[Nights, Lines, pl.DataFrame]:
    """Close some nights; return the world, its ledger, and the rows with the blocks that count them."""
    world, ledger, memory = Nights(random.Random(60)), Lines.of({}), Memory(SETTINGS, LABELS)
    for day_no in range(n_nights):
        world.next_day(day_no)
        ledger += close_day(world, ledger, day_no, SETTINGS, key=KEY)
        memory.close(world, day_no)
    return world, ledger, truth(world, memory)


@pytest.fixture(scope="module")
def simulated() -> tuple[Nights, Lines, pl.DataFrame]:
    """Return the world after sixty nights."""
    return simulate()


@pytest.mark.slow
def test_all_lines_of_sixty_nights_are_safe(simulated: tuple[Nights, Lines, pl.DataFrame]) -> None:
    """Weeks, second sets, pooled late rows and open days of four labels together, which count all rows but a few."""
    _, ledger, rows = simulated
    plays = ledger.figures.filter(pl.col("measure") == "n_plays")

    attacks = list(audit(ledger.figures, rows))

    assert [attack for attack in attacks if not attack.is_safe] == []
    assert len(attacks) > 10_000
    assert ledger.figures.filter(measure="play_share").height > 20
    assert {axis for attack in attacks for axis, _ in attack.group} >= {*GROUP, "artist_id", "gender", "source"}
    assert {attack.label_id for attack in attacks} == set(LABELS)
    assert rows.filter("is_late")["n_plays"].sum() > 500
    assert plays.filter("is_late")["dimension"].n_unique() == 9  # weeks and their cells, and pooled lines
    totals = plays.filter(pl.col("dimension").is_in(["week", "late"])).select(*BLOCK, "value")
    sums = rows.group_by(BLOCK).agg(pl.col("n_plays").sum())
    assert totals.join(sums, on=BLOCK).filter(pl.col("value") == pl.col("n_plays")).height == totals.height


@pytest.mark.slow
def test_a_label_that_knows_ten_accounts_learns_nothing(simulated: tuple[Nights, Lines, pl.DataFrame]) -> None:
    """They are its own, and play its recordings every night."""
    _, ledger, rows = simulated
    own = rows.filter(label_id="own")

    attacks = list(audit(ledger.figures, own, OWN))

    assert own.filter(pl.col("user_id").is_in(OWN))["n_plays"].sum() > own["n_plays"].sum() / 4
    assert len(attacks) > 100
    assert [attack for attack in attacks if not attack.is_safe] == []


@pytest.mark.slow
def test_others_without_a_test_are_found_within_sixty_nights(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted leak: cells that fail are merged, but what they are together is not tested."""
    merge_all = cells._others
    monkeypatch.setattr(
        cells,
        "_others",
        lambda *args: merge_all(*args).with_columns(n_listeners=pl.lit(10**6, pl.Int64), top_two=pl.lit(0, pl.Int64)),
    )
    _, ledger, rows = simulate()

    unsafe = [attack for attack in audit(ledger.figures, rows) if not attack.is_safe]

    assert len(unsafe) > 10


@pytest.mark.slow
def test_great_cells_that_cross_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted leak: cells are not merged where they reveal an intersection; of ages with genders, for example."""
    monkeypatch.setattr(dimensions, "merge_intersections", lambda cells, *_: cells)
    _, ledger, rows = simulate(n_nights=30)

    unsafe = [attack for attack in audit(ledger.figures, rows) if not attack.is_safe]

    assert {("age_band", "gender"), ("country", "age_band")} <= {
        tuple(axis for axis, _ in attack.group) for attack in unsafe
    }


@pytest.mark.slow
def test_rounded_figures_of_two_nights_are_found(simulated: tuple[Nights, Lines, pl.DataFrame]) -> None:
    """A planted leak: figures that are counted anew every night, small ones withheld and all others rounded."""
    world, _, _ = simulated

    found = list(attacks_on_rounded(world, "one"))

    assert all(attack.low <= true <= attack.high for attack, true in found)
    attacks = [attack for attack, _ in found]
    unsafe = [attack for attack in attacks if not attack.is_safe]
    assert len(attacks) > 100
    assert len(unsafe) > len(attacks) / 2
    assert any(attack.low > 0 for attack in unsafe)


def attacks_on_rounded(world: Nights, label_id: str) -> Iterator[tuple[Attack, int]]:
    """
    Attack what arrives from one night to the next, of each week that has ended, with the figures of both nights.

    Yields:
        The attack on a small group, and its true plays.
    """
    for day_no in range(7, N_NIGHTS):
        n_before, n_after = world.arrived[day_no - 1 : day_no + 1]
        for first_day in range(0, day_no - 7, 7):
            first = MONDAY + timedelta(days=first_day)
            rows = rows_of_week(world, label_id, first)
            before, after = (rows.filter(pl.col("n") < n) for n in (n_before, n_after))
            if before.height < after.height and not before.is_empty():
                yield from _attacks((label_id, first), before, after)


def rows_of_week(world: Nights, label_id: str, first: date) -> pl.DataFrame:
    """Return the rows of the recordings that a label has in the end, with their number in order of arrival."""
    last = first + timedelta(days=6)
    values = [
        (n, row.user, row.track, row.plays)
        for n, row in enumerate(world.rows)
        if first <= row.day <= last and world.labels[row.track] == label_id
    ]
    schema = {"n": pl.Int64, "user_id": pl.String, "track_id": pl.String, "n_plays": pl.Int64}
    return pl.DataFrame(values, schema, orient="row").join(listeners(world.n_users), on="user_id")


def rounded(rows: pl.DataFrame) -> pl.DataFrame:
    """
    Return the figures of one night: the sum of each recording, country and age, and the total.

    Those of fewer than ten listeners are withheld, with the smallest others of their dimension until two are and one
    of these has ten listeners; the rest is rounded down to tens, which leaves a range of ten values.
    """
    figures = [_summed(rows, [])] + [_without_small(_summed(rows, [name])) for name in GROUP]
    low = 10 * (pl.col("value") // 10)
    return pl.concat(figures, how="diagonal").with_columns(low=low, high=low + 9)


def _summed(rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    sums = rows.group_by(keys or pl.lit(0)).agg(value=pl.col("n_plays").sum(), people=pl.col("user_id").n_unique())
    return sums.select(*keys, "value", "people")


def _without_small(figures: pl.DataFrame) -> pl.DataFrame:
    ordered = figures.sort("people", figures.columns[0])
    n_small = ordered.filter(pl.col("people") < 10).height
    return ordered[max(2, n_small + 1) if n_small else 0 :]


def _attacks(key: tuple[str, date], before: pl.DataFrame, after: pl.DataFrame) -> Iterator[tuple[Attack, int]]:
    """Attack each small group of the rows that arrived between two nights."""
    members = [after.select(name).unique().sort(name) for name in GROUP]
    arrived = pl.DataFrame({"arrived": ["before", "after"]})
    cells = members[0].join(members[1], how="cross").join(members[2], how="cross").join(arrived, how="cross")
    first = rounded(before).with_columns(arrived=pl.lit("before"))
    known = sums_of(pl.concat([first, rounded(after)], how="diagonal"), cells)
    new = (
        after.join(before, on="n", how="anti")
        .group_by(GROUP)
        .agg(pl.col("user_id").n_unique(), pl.col("n_plays").sum())
    )
    groups = new.filter(pl.col("user_id") <= SMALL).sort(GROUP).with_columns(arrived=pl.lit("after"))
    needed = N_AVERAGE * float(after["n_plays"].sum()) / after["user_id"].n_unique()
    for of_group, (track, country, age, true) in zip(
        matches(groups, cells).astype(np.float64), groups.select(*GROUP, "n_plays").iter_rows(), strict=True
    ):
        period, group = (key[1], key[1] + timedelta(days=6)), tuple(zip(GROUP, (track, country, age), strict=True))
        yield Attack(key[0], "n_plays", period, group, SMALL, *known.range_of(of_group), needed), true
