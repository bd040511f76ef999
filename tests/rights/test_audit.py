"""An attack on owners' statements: planted leaks are found, and statements that pass the test hold."""

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner, Result

from recsys.cli import main
from recsys.home import Home
from recsys.ledger.audit import Attack
from recsys.ledger.lines import Lines
from recsys.ledger.settings import LabelSettings
from recsys.ledger.store import Ledger
from recsys.rights.audit import attacks_on_statements
from recsys.rights.royalties import Model, Pot, Registry
from recsys.rights.statements import listening, statements
from recsys.warehouse.query import Warehouse

_MODELS: tuple[Model, ...] = ("pro_rata", "user_centric")
POT = Pot(date(2026, 1, 1), 100_000, "performing")
PERIOD = (date(2026, 1, 1), date(2026, 1, 31))
WORKS = pl.DataFrame({"track_id": ["t1", "t2", "t3"], "work_key": ["w1", "w2", "w3"]})
OWNERS = [("w1", "WW", "abe", 10_000), ("w2", "WW", "abe", 10_000), ("w3", "WW", "bea", 10_000)]
CROWD = [(f"u{n}", "t1", "DE", 3) for n in range(40)] + [(f"u{n}", "t3", "DE", 50) for n in range(60)]


def registry(plays: list[tuple[str, str, str, int]], owners: Any = OWNERS) -> Registry:
    """Return a registry of rows."""
    return Registry(
        pl.DataFrame(plays, ["user_id", "track_id", "territory", "n_plays"], orient="row"),
        WORKS,
        pl.DataFrame(owners, ["work_key", "territory", "owner", "weight"], orient="row"),
    )


def attacked(of: Registry, model: Model, settings: LabelSettings, stated: pl.DataFrame | None = None) -> list[Attack]:
    """Return the attacks on the statements of all owners of a registry."""
    lines = statements(of, POT, model, settings) if stated is None else stated
    return list(attacks_on_statements(lines, listening(of, model), PERIOD))


@pytest.mark.parametrize("model", _MODELS)
@pytest.mark.parametrize("n_few", [1, 4, 9, 12])
def test_statements_hold_whatever_a_few_listeners_play(model: Model, n_few: int) -> None:
    """A work with few listeners is part of others, and no range of its plays or money is too narrow."""
    few = [(f"u{n}", "t2", "DE", 1 + 9 * (n % 2)) for n in range(n_few)]

    found = attacked(registry([*CROWD, *few]), model, LabelSettings())

    assert {attack.measure for attack in found if attack.group == (("work_key", "w2"),)} >= (
        {"n_plays", "amount"} if n_few < 10 else set()
    )
    assert [attack for attack in found if not attack.is_safe] == []


def test_a_line_of_few_listeners_is_found() -> None:
    """A planted leak: a statement that names the work of four listeners, with their plays."""
    few = [(f"u{n}", "t2", "DE", 7) for n in range(4)]
    leak = pl.DataFrame({"owner": ["abe"] * 2, "work_key": ["w1", "w2"], "n_plays": [120, 28], "amount": [1, 1]})

    unsafe = [one for one in attacked(registry([*CROWD, *few]), "pro_rata", LabelSettings(), leak) if not one.is_safe]

    assert [(one.measure, one.group, one.n_listeners, one.low) for one in unsafe][:1] == [
        ("n_plays", (("work_key", "w2"),), 4, 28)
    ]


def test_owners_who_collude_learn_of_the_territories_of_one() -> None:
    """What bea owns but abe does not: three listeners in Great Britain."""
    owners = [("w1", "WW", "abe", 5_000), ("w1", "WW", "bea", 5_000), ("w1", "GB", "bea", 10_000)]
    few = [(f"v{n}", "t1", "GB", 2) for n in range(3)]

    unsafe = [one for one in attacked(registry([*CROWD, *few], owners), "pro_rata", LabelSettings()) if not one.is_safe]

    assert [(one.label_id, one.n_listeners, one.low, one.high) for one in unsafe] == [("bea less abe", 3, 6, 6)]


def test_a_work_whose_money_comes_from_one_listener_is_not_named() -> None:
    """User-centric money of 40 listeners, of whom one plays nothing else: most of it is the one's."""
    plays = [(f"u{n}", "t1", "DE", 3) for n in range(40)] + [(f"u{n}", "t3", "DE", 5_000) for n in range(1, 60)]
    plays += [(f"u{n}", "t2", "DE", 9_000) for n in range(1, 60)]

    stated = {model: statements(registry(plays), POT, model, LabelSettings()) for model in _MODELS}
    named = {model: lines["work_key"].drop_nulls().sort().to_list() for model, lines in stated.items()}

    assert named == {"pro_rata": ["w1", "w2", "w3"], "user_centric": ["w3"]}


def test_the_command_attacks_closed_months(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A statement in the ledger that names few listeners ends with exit code 1; an owner without one is refused."""
    home, few = Home(tmp_path / "home"), [(f"u{n}", "t2", "DE", 7) for n in range(4)]
    of = registry([*CROWD, *few])
    fixed = {"month": POT.month, "right_type": POT.right_type, "model": "pro_rata", "pot": [POT.amount]}
    lines = pl.DataFrame({"owner": ["abe"], "work_key": ["w2"], "n_plays": [28], "amount": [1]} | fixed)
    Ledger(home).append("leak", Lines.of({"owner_statements": lines}))
    monkeypatch.setattr(Home, "published_warehouse", lambda _home: tmp_path)
    monkeypatch.setattr(Warehouse, "open", lambda _path: nullcontext())
    monkeypatch.setattr(Registry, "read", lambda _warehouse, _pot: of)

    def run(*words: str) -> Result:
        return CliRunner().invoke(main, ["--home", str(home.path), "labels", "audit", *words])

    leaking = run("--owner", "abe")
    assert leaking.exit_code == 1
    assert "2 narrowed down too far" in leaking.output  # its plays, and its amount
    assert "There is no owner" in run("--owner", "eve").output
    assert "Name a label" in run().output
