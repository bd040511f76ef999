"""The audit: lines that pass the test are safe, and it finds what a ledger without the test of 'others' gives away."""

import random
from collections.abc import Iterator
from datetime import timedelta

import polars as pl
import pytest

from recsys.ledger import cells
from recsys.ledger.audit import Attack, audit, table_range
from recsys.ledger.blocks import rows_by_day
from recsys.ledger.close import Closing, close
from recsys.ledger.lines import Lines
from recsys.ledger.settings import LabelSettings

from .worlds import MONDAY, Row, catalogue, frame

N_USERS = 120
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

    assert len(found) == 19
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

    assert {attack.group[3] for attack in unsafe} >= {"IS"}
    assert "t5" in {attack.group[2] for attack in unsafe}


def test_ranges_are_those_of_a_table_with_known_sums() -> None:
    """By hand: 90 of 100 in one recording and 95 in one country leave at least 85, and at most 90."""
    for inside, expected in (((90, 95, 100), (85, 90)), ((10, 20, 40), (0, 10)), ((99, 99, 6), (4, 6))):
        assert table_range(tuple((value, value) for value in inside), (100, 100)) == pytest.approx(expected)
