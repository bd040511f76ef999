"""Royalties of a month that can be counted by hand, and the statements of owners."""

from datetime import date
from pathlib import Path
from typing import Any, cast

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.errors import InputError
from recsys.home import Home
from recsys.ledger.settings import LabelSettings
from recsys.ledger.store import Ledger
from recsys.rights.royalties import DISPUTED, UNCLAIMED, Model, Pot, Registry, compared, compared_groups, royalties
from recsys.rights.statements import close_month, statements, write_statements
from recsys.warehouse.query import Warehouse

POT, OTHER_POT = (Pot(date(2026, 1, 1), amount, "performing") for amount in (1_000, 9_000))
PLAYS = (  # ann plays much, bob little
    ("ann", "t1", "DE", 8),
    ("ann", "t2", "DE", 1),
    ("bob", "t2", "GB", 1),
)
WORKS = (("t1", "w1"), ("t2", "w2"))
OWNERS = (  # of w2, cyd has the world, but dan Great Britain
    ("w1", "WW", "abe", 6_000),
    ("w1", "WW", "bea", 4_000),
    ("w2", "WW", "cyd", 9_997),
    ("w2", "GB", "dan", 10_000),
    ("w2", "GB", "cyd", 0),
)


def registry(plays: Any = PLAYS, works: Any = WORKS, owners: Any = OWNERS) -> Registry:
    """Return a registry of rows."""
    return Registry(
        pl.DataFrame(plays, ["user_id", "track_id", "territory", "n_plays"], orient="row"),
        pl.DataFrame(works, ["track_id", "work_key"], orient="row"),
        pl.DataFrame(owners, ["work_key", "territory", "owner", "weight"], orient="row"),
    )


def paid(of: Registry, model: Model = "pro_rata") -> dict[tuple[str, str | None], int]:
    """Return the amount of each owner and work."""
    return {(owner, work): amount for owner, work, amount in royalties(of, POT, model).rows()}


def test_pro_rata_divides_by_all_plays() -> None:
    """Eight, one and one of ten plays; the owner of a territory is paid for its plays, 99.97 % is paid in full."""
    assert paid(registry()) == {("abe", "w1"): 480, ("bea", "w1"): 320, ("cyd", "w2"): 100, ("dan", "w2"): 100}


def test_user_centric_gives_each_listener_the_same() -> None:
    """Half of the pot is bob's, who played one recording only."""
    found = paid(registry(), "user_centric")

    assert found == {("abe", "w1"): 267, ("bea", "w1"): 178, ("cyd", "w2"): 55, ("dan", "w2"): 500}


def test_what_nobody_owns_and_what_too_many_own_is_kept() -> None:
    """Recordings without a work and missing shares are unclaimed; a work above 100 % is disputed as a whole."""
    owners = (("w1", "WW", "abe", 7_500), ("w2", "WW", "cyd", 9_000), ("w2", "WW", "dan", 1_007))

    found = paid(registry((*PLAYS, ("bob", "t9", "GB", 10)), WORKS, owners))

    assert found == {("abe", "w1"): 300, (UNCLAIMED, "w1"): 100, (DISPUTED, "w2"): 100, (UNCLAIMED, None): 500}


def test_a_territory_whose_own_claim_has_ended_is_unclaimed() -> None:
    """The owner of the world has none of a territory that ever had a claim of its own, and is not paid for it."""
    ended = (("w2", "GB", None, 0),)

    found = paid(registry(owners=(*OWNERS[:3], *ended)))

    assert found == {("abe", "w1"): 480, ("bea", "w1"): 320, ("cyd", "w2"): 100, (UNCLAIMED, "w2"): 100}


def test_a_medley_is_divided_evenly_over_its_works() -> None:
    """Each of the two works earns half of what the recording earns."""
    owners = (("w1", "WW", "abe", 10_000), ("w2", "WW", "cyd", 10_000))

    found = paid(registry(PLAYS[:1], (("t1", "w1"), ("t1", "w2")), owners))

    assert found == {("abe", "w1"): 500, ("cyd", "w2"): 500}


@settings(max_examples=15, deadline=None)
@given(data=st.data(), pot=st.integers(0, 10**9))
def test_amounts_add_up_to_the_pot_whatever_the_order_of_rows(data: st.DataObject, pot: int) -> None:
    """Of both models, with random plays in random order."""
    row = st.tuples(st.sampled_from("abcd"), st.sampled_from(["t1", "t2", "t9"]), st.sampled_from(["DE", "GB"]))
    places = data.draw(st.lists(row, min_size=1, max_size=12, unique=True))
    plays = [(*place, data.draw(st.integers(1, 500))) for place in places]
    shuffled = data.draw(st.permutations(plays)), data.draw(st.permutations(WORKS)), data.draw(st.permutations(OWNERS))
    money = Pot(POT.month, pot, POT.right_type)

    for model in ("pro_rata", "user_centric"):
        in_order = royalties(registry(plays), money, model)
        assert in_order["amount"].sum() == pot
        assert royalties(registry(*shuffled), money, model).equals(in_order)


def test_models_are_compared_by_owner_and_by_group_of_artists() -> None:
    """User-centric takes from the artist of the listener who plays most."""
    artists = pl.DataFrame({"track_id": ["t1", "t2"], "artist_id": ["many", "few"]})

    by_owner = compared(registry(), POT)
    by_group = compared_groups(registry(), artists, POT)

    assert by_owner.rows()[0] == ("abe", 480, 267, -213)
    assert by_owner["difference"].sum() == 0
    assert by_group.rows() == [("artists 1 to 10", 2, 1_000, 1_000, 0.0)]


CROWD = [(f"u{n}", "t1", "DE", 3) for n in range(25)] + [(f"u{n}", "t2", "DE", 2) for n in range(4)]


def test_a_statement_names_works_with_enough_listeners_only() -> None:
    """Works of cyd: w1 with 25 listeners, w2 with 4, which is merged into other works and drags w1 with it."""
    owners = (("w1", "WW", "cyd", 10_000), ("w2", "WW", "cyd", 10_000))
    many = [*CROWD, *((f"v{n}", "t2", "DE", 1) for n in range(20))]

    few, enough = (
        statements(registry(plays, WORKS, owners), POT, "pro_rata", LabelSettings()) for plays in (CROWD, many)
    )

    assert few.rows() == [("cyd", 83, 1_000, None)]
    assert enough.select("owner", "work_key", "n_plays", "amount").rows() == [
        ("cyd", "w1", 75, 728),
        ("cyd", "w2", 28, 272),
    ]


def test_an_owner_with_few_listeners_gets_the_amount_alone() -> None:
    """What dan is paid for the plays of four listeners, without the plays."""
    owners = (("w1", "WW", "abe", 10_000), ("w2", "WW", "dan", 10_000))

    stated = statements(registry(CROWD, WORKS, owners), POT, "pro_rata", LabelSettings())

    assert stated.rows() == [("abe", 75, 904, "w1"), ("dan", None, 96, None)]


class Rows:
    """A warehouse that returns the rows above, and the last day of its data."""

    def __init__(self, as_of: date, plays: Any) -> None:
        self.as_of, self.plays = as_of, plays

    def query(self, sql: str, _params: object = None) -> pl.DataFrame:
        """Return the rows that a query of `sql/internal` asks for."""
        rows = registry(self.plays)
        tables = {"meta.build": pl.DataFrame({"as_of": [self.as_of]}), "interactions_daily": rows.plays}
        tables |= {"marts.work_recordings": rows.works, "marts.work_owners": rows.owners}
        return next(table for name, table in tables.items() if name in sql)


def test_statements_are_written_once_and_files_name_their_owner(tmp_path: Path) -> None:
    """A second call returns the first statements, although the plays have changed."""
    ledger, terms = Ledger(Home(tmp_path / "home")), {"currency": "EUR", "settings": LabelSettings()}

    def close(plays: Any, as_of: date = date(2026, 2, 1), model: Model = "pro_rata") -> pl.DataFrame:
        warehouse = cast("Warehouse", Rows(as_of, plays))
        return close_month(ledger, warehouse, POT, model=model, **cast("Any", terms))

    with pytest.raises(InputError, match="not closed"):
        close(CROWD, date(2026, 1, 31))
    first = close(CROWD)

    assert close(PLAYS).equals(first)
    with pytest.raises(InputError, match="closed with another model"):
        close(PLAYS, model="user_centric")
    with pytest.raises(InputError, match="closed with another pot"):
        close_month(
            ledger, cast("Warehouse", Rows(date(2026, 2, 1), CROWD)), OTHER_POT, model="pro_rata", **cast("Any", terms)
        )
    with pytest.raises(InputError, match="no ISO 4217 code"):
        close_month(
            ledger,
            cast("Warehouse", Rows(date(2026, 2, 1), CROWD)),
            POT,
            model="pro_rata",
            currency="EUR/c",
            settings=LabelSettings(),
        )
    files = write_statements(first, tmp_path / "out", lambda lines: lines["owner"][0].encode())
    assert files[0].with_suffix(".pdf").read_bytes() == b"abe"
    assert "pot" not in pl.read_csv(files[0]).columns
    assert pl.read_csv(files[0])["owner"].unique().to_list() == ["abe"]
    assert pl.read_csv(tmp_path / "out" / "owners.csv").rows()[1] == ("bea", "statement-000002.csv")
    with pytest.raises(InputError, match="exists"):
        write_statements(first, tmp_path / "out")
