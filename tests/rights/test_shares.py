"""Shares by territory and day: the SQL against a loop over days and countries; and the demo's planted conflicts."""

from collections import defaultdict
from datetime import date, timedelta
from itertools import product
from pathlib import Path

import duckdb
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys.installation.paths import SQL_FOLDER
from recsys.rights.check import conflicts, count_conflicts
from recsys.rights.notices import Evidence
from recsys.warehouse.query import Warehouse

FIRST = date(2026, 1, 1)
TERRITORIES = ("WW", "GB", "US")
STEPS = (
    "intermediate.claim_territories",
    "intermediate.claim_periods",
    "marts.work_owners",
    "intermediate.share_sums",
    "intermediate.share_totals",
)
DAYS = [FIRST + timedelta(days=n) for n in range(8)]
_DAY = st.integers(0, 6).map(lambda n: DAYS[n])
_CLAIM = st.tuples(
    st.sampled_from(["p", "q"]),  # source
    st.integers(1, 3),  # claim
    st.sampled_from(TERRITORIES),
    st.sampled_from(["abe", "bea"]),
    st.integers(0, 10_000),
    _DAY,
    _DAY,
)


def connection_of(claims: list[tuple[object, ...]]) -> duckdb.DuckDBPyConnection:
    """Return a database with claims to one work, and the tables that are made of them."""
    connection = duckdb.connect()
    connection.execute("create schema intermediate; create schema marts")
    connection.execute(
        "create table intermediate.claims (source varchar, claim_no bigint, territory varchar, party_key varchar, "
        "share_bp bigint, first_day date, last_day date)"
    )
    connection.executemany("insert into intermediate.claims values (?, ?, ?, ?, ?, ?, ?)", claims)
    for column in ("work_id", "work_key", "kind", "right_type"):
        connection.execute(f"alter table intermediate.claims add column {column} varchar default 'w'")
    for name in STEPS:
        layer, table = name.split(".")
        query = (SQL_FOLDER / layer / f"{table}.sql").read_text()
        connection.execute(f"create table {name} as {query}")
    return connection


def claimed_on(claims: list[tuple[object, ...]], territory: str, day: date) -> int:
    """Return the sum of shares in a territory on a day by the definition, claim by claim."""
    by_party: dict[object, dict[object, int]] = defaultdict(lambda: defaultdict(int))
    own = {(source, number) for source, number, where, *_ in claims if where == territory}
    for source, number, where, party, share, first, last in claims:
        holds = where == territory or (where == "WW" and (source, number) not in own)
        if holds and first <= day <= last:  # type: ignore[operator]
            by_party[party][source] += share  # type: ignore[operator]
    return sum(max(shares.values()) for shares in by_party.values())


def test_a_work_whose_claims_end_one_after_the_other_has_lapsed() -> None:
    """Half is missing from the third day on, and all from the fifth."""
    claims = [("p", 1, "WW", "abe", 5_000, DAYS[0], DAYS[1]), ("p", 2, "WW", "bea", 5_000, DAYS[0], DAYS[3])]
    with connection_of(list(claims)) as connection:
        query = (SQL_FOLDER / "intermediate" / "share_conflicts.sql").read_text().replace("kind = 'ownership'", "true")
        connection.execute("update intermediate.share_totals set kind = 'ownership'")
        rows = connection.execute(
            f"select kind, first_day, found_bp, other_bp from ({query}) order by first_day"
        ).fetchall()

    assert rows == [("lapsed_term", DAYS[2], 5_000, 10_000), ("lapsed_term", DAYS[4], 0, 5_000)]


@settings(max_examples=25, deadline=None)
@given(st.lists(_CLAIM, min_size=1, max_size=7, unique_by=lambda claim: claim[:3]))
def test_totals_are_those_of_each_day_and_territory(claims: list[tuple[object, ...]]) -> None:
    """Periods do not overlap, none is followed by one with the same total, and each day has the sum of its claims."""
    with connection_of(claims) as connection:
        rows = connection.execute(
            "select territory, first_day, last_day, total_bp from intermediate.share_totals"
        ).fetchall()

    for territory, day in product({str(row[0]) for row in rows}, DAYS):
        found = [total for where, first, last, total in rows if where == territory and first <= day <= last]
        assert (found or [0]) == [claimed_on(claims, territory, day)]
    is_claimed = [(where, first <= last and (share or where != "WW")) for _, _, where, _, share, first, last in claims]  # type: ignore[operator]
    owned = {where for where, is_any in is_claimed if is_any}  # nothing of the world is no claim
    assert owned <= {row[0] for row in rows}
    starts = {(where, first, total) for where, first, _, total in rows}
    ends = {(where, last + timedelta(days=1), total) for where, _, last, total in rows if last < date.max}
    assert not starts & ends


def test_every_planted_conflict_is_found_and_no_lawful_look_alike(
    planted: tuple[set[tuple[str, str]], Path],
) -> None:
    """Fourteen kinds, five of each but one group of recordings with one ISRC, and as many look-alikes."""
    truths, built = planted

    with Warehouse.open(built) as warehouse:
        found = conflicts(warehouse)
        over = conflicts(warehouse, ("shares_over",))

    assert set(found.select("kind", "subject").rows()) == truths
    assert len(truths) == 13 * 5 + 1
    assert over["found_percent"].unique().to_list() == [125.0]
    assert count_conflicts(found).filter(kind="shares_over").rows() == [("shares_over", 5, 15, 0)]


def test_ended_conflicts_are_listed_on_request(planted: tuple[set[tuple[str, str]], Path]) -> None:
    """The demo's conflicts are open; of the missing half of a lapsed work, the days before it began are no conflict."""
    _, built = planted

    with Warehouse.open(built) as warehouse:
        found, every = conflicts(warehouse), conflicts(warehouse, with_ended=True)

    assert every.height == found.height
    assert found.filter(kind="lapsed_term")["since"].unique().to_list() == [date(2025, 10, 24)]
    assert found.filter(kind="shares_over")["since"].unique().to_list() == [date(2026, 1, 30)]  # registered on this day


def test_plays_of_refused_registrations_and_parties_are_those_of_their_works(
    planted: tuple[set[tuple[str, str]], Path],
) -> None:
    """A society's answer names the number of a work, and a party claims works: both have recordings."""
    _, built = planted

    with Warehouse.open(built) as warehouse:
        found = conflicts(warehouse)
        of_labels = warehouse.query("select distinct kind, subject from marts.recording_conflicts").rows()

    measured = {str(kind) for (kind,), rows in found.group_by("kind") if rows["n_plays"].null_count() == 0}
    assert {"registration_refused", "party_with_several_ipis", "isrc_on_several_recordings"} <= measured
    assert {("registration_refused", subject) for subject in found.filter(kind="registration_refused")["subject"]} <= {
        *of_labels
    }


def test_claims_of_a_conflict_name_who_states_what(planted: tuple[set[tuple[str, str]], Path]) -> None:
    """Two of the first publisher and one of the second, whose sum is 125 %."""
    _, built = planted

    with Warehouse.open(built) as warehouse:
        work_key = conflicts(warehouse, ("shares_over",))["subject"][0]
        claims = Evidence.read(warehouse, "shares_over", work_key).claims.filter(right_type="performing")

    assert claims.select("source", "share").rows() == [
        ("publisher:alpha", 0.5),
        ("publisher:alpha", 0.5),
        ("publisher:beta", 0.25),
    ]
