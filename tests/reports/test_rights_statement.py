"""The page of an owner's statement, and the command that writes it."""

from datetime import date
from pathlib import Path

import duckdb
import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli.rights import state
from recsys.columns import schema
from recsys.errors import InputError, SetupError
from recsys.home import Home
from recsys.installation import extras
from recsys.ledger.lines import STATEMENTS_COLUMNS
from recsys.reports.one_page.pdf import pdf
from recsys.reports.rights_statement import Names, money, statement_page
from recsys.warehouse.query import Warehouse

MONTH, CLOSED = date(2026, 1, 1), date(2026, 2, 1)
FIXED = ("ipi:1", MONTH, "performing", "user_centric", 99_999, "EUR")
NAMES = Names({"ipi:1": "Abe"}, {"w11": "Rain"})
REGISTRY = """
create schema marts;
create table marts.rights_parties as select * from (
    values ('ipi:1', 'Abe', 3), ('ipi:1', 'A. Abe', 2), ('ipi:2', 'Bea', 1)
) as parties (party_key, party_name, n_works);
create table marts.work_recordings as select * from (
    values ('t1', 'w1', null), ('t2', 'w2', 'Snow'), ('t3', 'w2', 'Rain')
) as works (track_id, work_key, title);
"""


def lines(*rows: tuple[str | None, int | None, int]) -> pl.DataFrame:
    """Return an owner's lines."""
    return pl.DataFrame([(*FIXED, *row, CLOSED) for row in rows], schema(STATEMENTS_COLUMNS), orient="row")


def test_the_page_has_the_total_and_the_largest_lines() -> None:
    """Of twelve works the ten largest, with the sums of all in euros; never the pot."""
    page = statement_page(lines(*((f"w{n:02}", n, 10 * n) for n in range(1, 12)), (None, 5, 1_000_007)), NAMES)

    assert [card.value for card in page.cards] == ["10,006.67", "71", "performing", "user-centric"]
    assert (page.reader, page.cards[0].period) == ("Abe (ipi:1)", "EUR")
    assert page.tables[0].rows[:3] == [
        ("other works", "", "5", "10,000.07"),
        ("Rain", "w11", "11", "1.10"),
        ("title unknown", "w10", "10", "1.00"),
    ]
    assert len(page.tables[0].rows) == 10
    assert page.tables[0].note.startswith("the largest 10 of 12")
    assert len(page.notes) == 3
    assert "99,999" not in str(page)


def test_plays_that_are_withheld_are_not_zero() -> None:
    """An owner with few listeners gets the amount alone; the page is a PDF file, whatever the owner is called."""
    page = statement_page(lines((None, None, 96)), Names({}, {}))

    assert (page.reader, page.cards[1].value) == ("ipi:1", "not shown")
    assert page.tables[0].rows == [("other works", "", "not shown", "0.96")]
    assert pdf(page).startswith(b"%PDF")


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [(1_234_572, "EUR", "12,345.72"), (5, "USD", "0.05"), (1_234, "JPY", "1,234"), (1_234, "KWD", "1.234")],
)
def test_money_has_the_decimals_of_its_currency(amount: int, currency: str, shown: str) -> None:
    """Yen have none, Kuwaiti dinars three."""
    assert money(amount, currency) == shown


def test_names_are_those_of_the_registry(tmp_path: Path) -> None:
    """Of two names the one with more works; of two titles the first."""
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute(REGISTRY)

    with Warehouse.open(tmp_path / "w.duckdb") as warehouse:
        names = Names.read(warehouse)

    assert names == Names({"ipi:1": "Abe", "ipi:2": "Bea"}, {"w2": "Rain"})


def test_nothing_is_closed_if_the_files_could_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder and the packages are looked at before the warehouse, which this home does not have."""
    call = ["2026-01", "--pot", "100", "--currency", "EUR", "--pdf"]
    home = Home(tmp_path / "home")

    taken = CliRunner().invoke(state, [*call, str(tmp_path)], obj=home)
    monkeypatch.setattr(extras, "find_spec", lambda _module: None)
    lacking = CliRunner().invoke(state, [*call, str(tmp_path / "new")], obj=home)

    assert isinstance(taken.exception, InputError)
    assert "exists" in str(taken.exception)
    assert isinstance(lacking.exception, SetupError)
    assert "recsys[reports]" in str(lacking.exception)
    assert not home.path.exists()
