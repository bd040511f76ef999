"""The audit: lines that pass the test are safe, and it finds what a ledger without the test of 'others' gives away."""

import random
from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest

from recsys.ledger import cells, dimensions
from recsys.ledger.audit import Attack, audit
from recsys.ledger.audit_table import table_range
from recsys.ledger.blocks import BLOCK, blocks, measured, rows_by_day
from recsys.ledger.close import Closing, close
from recsys.ledger.lines import Lines
from recsys.ledger.settings import LabelSettings

from .attacks import name_of, programme, truth
from .worlds import MONDAY, SETTINGS, Memory, Row, World, catalogue, close_day, frame

N_USERS = 120
SEEDS = (0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2)))
LABELS: dict[str, str | None] = {f"t{n}": "one" for n in range(6)}


def plays(rng: random.Random) -> list[Row]:
    """Return two weeks in which one recording has three listeners, and one country five."""
    rows = []
    for _ in range(2_000):
        track, user = rng.choice(["t0", "t0", "t1", "t3", "t3", "t4"]), rng.randrange(N_USERS)
        rows.append(Row(f"u{user}", track, MONDAY + timedelta(days=rng.randrange(14)), 1, 1))
    return rows + [Row(f"u{user}", "t5", MONDAY + timedelta(days=2), 1, 4) for user in (7, 8, 9)]


def listeners() -> pl.DataFrame:
    """Return groups: five listeners of a small country."""
    rows = [
        (f"u{n}", "IS" if n < 5 else ("SE", "BR", "NG")[n % 3], ("18-24", "25-34")[n % 2], "female")
        for n in range(N_USERS)
    ]
    return pl.DataFrame(rows, ["user_id", "country", "age_band", "gender"], orient="row")


def attacks(settings: LabelSettings) -> Iterator[Attack]:
    """Close the two weeks, and attack the lines."""
    rows = frame(plays(random.Random(3)))
    closing = Closing(1, "run", MONDAY + timedelta(days=15), 1, settings)
    lines = close(rows.lazy(), catalogue(LABELS), listeners(), Lines.of({}), closing)
    truth = rows.join(catalogue(LABELS), on="track_id").join(listeners(), on="user_id")
    return audit(lines.figures, rows_by_day(lines.figures, truth))


def test_small_groups_are_safe() -> None:
    """The range of each contains nothing, and the plays of ten average listeners."""
    found = list(attacks(LabelSettings()))

    assert len(found) == 58
    assert [attack for attack in found if not attack.is_safe] == []


def test_others_without_a_test_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five Icelanders, and three listeners of a recording, would be alone in 'others'."""
    merge_all = cells._others
    monkeypatch.setattr(
        cells,
        "_others",
        lambda *args: merge_all(*args).with_columns(n_listeners=pl.lit(10**6, pl.Int64), top_two=pl.lit(0, pl.Int64)),
    )

    unsafe = [attack for attack in attacks(LabelSettings()) if not attack.is_safe]

    assert {cell for attack in unsafe for cell in attack.group} >= {("country", "IS"), ("track_id", "t5")}


def test_ranges_are_those_of_a_table_with_known_sums() -> None:
    """By hand: 90 of 100 in one recording and 95 in one country leave at least 85, and at most 90."""
    for inside, expected in (((90, 95, 100), (85, 90)), ((10, 20, 40), (0, 10)), ((99, 99, 6), (4, 6)), ((7,), (7, 7))):
        assert table_range([(value, value) for value in inside], (100, 100)) == expected
    assert table_range([(80, 90), (85, 86)], (95, 100)) == (65, 86)


@pytest.mark.parametrize("seed", SEEDS)
def test_blocks_attacked_one_by_one_give_the_ranges_of_all_lines_together(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Late rows, recordings that change their label and open days of three labels, less one known account.

    One linear programme with all lines, days, genders and sources among them, gives the range of each group, and of
    groups of different blocks together the sum of their ranges. The truth is always in the range.
    """
    monkeypatch.setattr(dimensions, "merge_intersections", lambda cells, *_: cells)  # so that some must have plays
    ledger, rows = closed_world(seed)
    everything = programme(ledger.figures, rows, ["u0"])
    found = {}
    for key, of_block in rows.group_by(BLOCK, maintain_order=True):
        for attack in audit(ledger.figures, of_block, ["u0"]):
            true = measured(of_block, "n_plays").filter(pl.col("user_id") != "u0", **dict(attack.group))
            found[(("block", name_of(key)), *attack.group)] = attack.low, true["value"].sum(), attack.high

    positive = [group for group, (low, _, _) in found.items() if low > 0]
    rng = random.Random(seed)
    some = [*rng.sample(sorted(found), 60), *rng.sample(positive, 20)]
    assert positive
    assert all(low - 1e-6 <= value <= high + 1e-6 for low, value, high in found.values())
    for group in some:
        low, _, high = found[group]
        assert everything.range_of([group]) == pytest.approx((low, high), abs=1e-6)
    of_blocks = list({group[0]: group for group in some}.values())
    assert len(of_blocks) > 5
    together = sum(found[group][0] for group in of_blocks), sum(found[group][2] for group in of_blocks)
    assert everything.range_of(of_blocks) == pytest.approx(together, abs=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_group_must_have_plays(seed: int) -> None:
    """Whichever account is known, and whatever its members have in common, if a line needs more of them."""
    ledger, rows = closed_world(seed)
    least = SETTINGS.min_listeners

    for user in rows["user_id"].unique().sort()[:3]:
        few = [attack for attack in audit(ledger.figures, rows, [user]) if attack.n_listeners < least - 1]
        assert len({attack.group[-1][0] for attack in few}) > 3
        assert [attack for attack in few if attack.low > 0] == []


def test_a_set_of_labels_is_attacked_as_a_whole() -> None:
    """Whoever sees the lines of three labels finds what each of them finds; every label has late rows."""
    ledger, rows = closed_world(0)
    labels = rows["label_id"].unique().to_list()

    together = list(audit(ledger.figures, rows))

    one_by_one = [attack for label in labels for attack in audit(ledger.figures.filter(label_id=label), rows)]
    assert len(labels) == 3
    assert set(together) == set(one_by_one)
    assert len(together) > 100
    assert rows.filter("is_late")["label_id"].n_unique() == 3


def test_rows_that_a_line_may_not_count_narrow_nothing() -> None:
    """A late row of a known account: what it has in the line is unknown, and the line itself limits every group."""
    rows = frame(plays(random.Random(3)))
    closing = Closing(1, "run", MONDAY + timedelta(days=15), 1, LabelSettings())
    lines = close(rows.lazy(), catalogue(LABELS), listeners(), Lines.of({}), closing).figures
    late = rows.vstack(rows.filter(track_id="t0").head(1).with_columns(n_plays=pl.lit(10_000, pl.Int64)))
    everyone = late.join(catalogue(LABELS), on="track_id").join(listeners(), on="user_id")

    found = list(audit(lines, rows_by_day(lines, everyone)))

    assert len(found) > 15
    assert [attack for attack in found if not attack.is_safe] == []


def test_withheld_lines_are_not_attacked_and_open_days_are() -> None:
    """A withheld week has no block; a day of an open week has one of its own, a day of a closed week none."""
    ledger, _ = closed_world(1)
    plays_of = ledger.figures.filter(measure="n_plays")
    withheld = ledger.figures.with_columns(value=pl.when(pl.col("label_id") != "one").then("value"))

    keys = [key for key, _ in blocks(ledger.figures)]
    last_week = plays_of.filter(dimension="week", is_late=False).group_by("label_id").agg(pl.col("to_day").max())
    open_days = plays_of.filter(dimension="day").join(last_week, on="label_id", suffix="_week")
    expected = plays_of.filter(pl.col("dimension").is_in(["week", "late"])).height
    assert len(keys) == expected + open_days.filter(pl.col("to_day") > pl.col("to_day_week")).height
    assert "one" in {key[0] for key in keys}
    assert "one" not in {key[0] for key, _ in blocks(withheld)}


def closed_world(seed: int) -> tuple[Lines, pl.DataFrame]:
    """Close seventeen days of a small world; return the ledger, and the rows with the blocks that count them."""
    world, ledger, memory = World(random.Random(seed), n_tracks=5), Lines.of({}), Memory()
    for day_no in range(17):
        world.next_day(day_no)
        ledger += close_day(world, ledger, day_no)
        memory.close(world, day_no)
    return ledger, truth(world, memory)
