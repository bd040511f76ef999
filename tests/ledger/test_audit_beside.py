"""The audit of lines that do not partition plays: overlaps of artists, and what the lists show."""

import random

import polars as pl
import pytest

from recsys.ledger import audit_beside, overlap
from recsys.ledger.audit import Attack
from recsys.ledger.audit_beside import attacks_on_lists, attacks_on_overlaps
from recsys.ledger.overlap import lines_of_overlap
from recsys.ledger.settings import LabelSettings

from .test_overlap import JUNE, KEY, Groups, attacks, groups, table
from .worlds import catalogue

LABELS: dict[str, str | None] = {"t0": "one", "t3": "one", "t6": "two"}


def overlaps(listeners: Groups) -> list[Attack]:
    """Attack the lines of some artists' listeners."""
    lines = lines_of_overlap(table(listeners), catalogue(LABELS), (None, JUNE), LabelSettings(), KEY)
    return list(attacks_on_overlaps(lines.with_columns(measure=pl.lit("listener_share")), table(listeners).collect()))


@pytest.mark.parametrize("seed", range(3))
def test_those_who_play_three_artists_are_safe(seed: int) -> None:
    """Also by linear programming; nobody may play all three, and ten may."""
    listeners = groups(random.Random(seed), 300, (0.3, 0.3, 0.25, 0.25, 0.2))

    found = overlaps(listeners)

    assert [attack for attack in found if not attack.is_safe] == []
    of_three = {tuple(str(name) for _, name in attack.group): attack.n_listeners for attack in found}
    assert of_three
    for names, n in of_three.items():
        assert n == len(set.intersection(*(listeners[name] for name in names))) <= 9
    assert all(low <= 1e-6 for _, low, _ in attacks(listeners))


def test_exact_overlaps_of_any_size_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted leak: two thirds of an artist's listeners play the second, half the third; seven play all three."""
    users = [f"u{n}" for n in range(60)]
    listeners = {"a0": set(users), "a1": set(users[:37]), "a2": set(users[30:60])}
    safe = overlaps(listeners)
    for module in (overlap, audit_beside):
        monkeypatch.setattr(module, "NOISE_LISTENERS", 0)
    monkeypatch.setattr(overlap, "MAX_SHARED", 1.0)

    (unsafe,) = (attack for attack in overlaps(listeners) if attack.group[0] == ("artist_id", "a0"))

    assert [attack for attack in safe if not attack.is_safe] == []
    assert unsafe.n_listeners == 7
    assert 6 < unsafe.low <= 7
    assert not unsafe.is_safe


def test_nothing_shared_is_nothing_to_attack() -> None:
    """No listeners, one artist, or no line."""
    users = {f"u{n}" for n in range(80)}

    assert overlaps({}) == overlaps({"a0": users}) == overlaps({"a0": users, "a1": users}) == []


def test_lists_tell_their_sums_alone() -> None:
    """By hand: of 25 listeners with a recording first, 9 known ones leave 16; of 20, too few would be left of 18."""

    def attacked(n_shown: int) -> dict[str, tuple[float, float, bool]]:
        lists = pl.DataFrame({"user_id": [f"u{n}" for n in range(n_shown)]})
        lists = lists.with_columns(run_id=pl.lit("run"), track_id=pl.lit("t0"), rank=pl.lit(1, pl.Int32))
        lines = pl.DataFrame(
            {
                "label_id": ["one"] * 3,
                "measure": ["n_shown", "exposure", "n_shown"],
                "from_day": [JUNE] * 3,
                "to_day": [JUNE] * 3,
                "value": [n_shown, n_shown, 99],
                "closed_by_run": ["run", "run", "an earlier run"],
            }
        )
        found = attacks_on_lists(lines, lists, pl.DataFrame({"track_id": ["t0"], "label_id": ["one"]}))
        return {attack.measure: (attack.high, attack.needed, attack.is_safe) for attack in found}

    assert attacked(25) == {"n_shown": (16, 10, True), "exposure": (16, 10, True)}
    assert attacked(18) == {"n_shown": (9, 10, False), "exposure": (9, 10, False)}
