"""Search terms about rights: uses that licences permit, and owners."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from recsys.errors import InputError
from recsys.search.by_terms import search
from recsys.search.catalogue import Catalogue
from recsys.search.terms.cleared import parts_of
from recsys.warehouse.query import Warehouse

from .test_by_terms import DERIVED, ROWS, SCHEMA, found

RIGHTS = """
create table marts.licensed_territories as select *, date '2020-01-01' as first_day from (
    values ('t1', 'stream', 'WW', date '9999-12-31'),
        ('t1', 'stream', 'JP', null),
        ('t2', 'stream', 'JP', date '2026-07-01'),
        ('t2', 'synchronisation', 'WW', date '2026-06-30'),
        ('t3', 'stream', 'WW', date '9999-12-31')
) as licences (track_id, use_type, territory, last_day);
create table marts.work_recordings as select * from (
    values ('t1', 'w1'), ('t2', 'w2'), ('t3', 'w2')
) as links (track_id, work_key);
create table marts.work_owners as select *, date '2020-01-01' as first_day from (
    values ('w1', 'ownership', 'ipi:00014107338', 5000, date '9999-12-31'),
        ('w1', 'collection', 'name:collector', 5000, date '9999-12-31'),
        ('w2', 'ownership', 'name:zoe house', 5000, date '9999-12-31'),
        ('w2', 'ownership', 'ipi:00014107338', 5000, date '2025-12-31')
) as owners (work_key, kind, party_key, share_bp, last_day);
create table marts.rights_parties as select * from (
    values ('ipi:00014107338', 'Doe, Jane'), ('name:zoe house', 'Zoë House'), ('name:collector', 'Collector')
) as parties (party_key, party_name);
"""


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Catalogue]:
    """The catalogue of the other terms, with licences, works and owners."""
    path: Path = tmp_path_factory.mktemp("rights") / "w.duckdb"
    with duckdb.connect(path) as connection:
        connection.execute(SCHEMA + ROWS + DERIVED + RIGHTS)
    with Warehouse.open(path) as warehouse:
        yield Catalogue.read(warehouse)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cleared in Japan for streaming", ["t2", "t3"]),  # the first leaves Japan out
        ("cleared for streaming in DE", ["t1", "t3"]),
        ("licensed in the world for streams", ["t1", "t3"]),
        ("available in Japan", ["t3", "t4"]),  # the first leaves Japan out, the second is delivered for France alone
        ("available in France", ["t1", "t3", "t4"]),  # the second has a licence for Japan alone, the last none at all
        ("cleared in Japan for sync", []),  # it ended the day before the lists are shown
        ("not cleared in Japan for streaming", ["t1"]),  # of the others no licence is known
        ("techno, cleared in Japan for streaming", ["t2", "t3"]),
        ("owned by zoe", ["t2", "t3"]),
        ("owned by Zoë Ho", ["t2", "t3"]),
        ('owner: "Doe, Jane"', ["t1"]),  # no longer of the second work
        ("owned by 00014107338", ["t1"]),
        ("owned by collector", []),
        ("not owned by zoe house", ["t1"]),
    ],
)
def test_rights_are_searched(catalogue: Catalogue, text: str, expected: list[str]) -> None:
    """By use, territory and day, and by the owners of that day."""
    assert sorted(found(search(catalogue, text, n=9))) == expected


def test_the_reason_is_what_permits_it(catalogue: Catalogue) -> None:
    """A licence, where there is one, else the territories that were delivered."""
    shown = search(catalogue, "available in Japan", n=9).rows

    assert dict(shown.select("track_id", "why").iter_rows()) == {
        "t3": "licensed in Japan",
        "t4": "available everywhere",
    }


def test_a_file_without_rights_says_so(catalogue: Catalogue, tmp_path: Path) -> None:
    """As that of a label; and a name without letters is no owner."""
    with duckdb.connect(tmp_path / "label.duckdb") as connection:
        connection.execute(SCHEMA + ROWS + DERIVED)

    with Warehouse.open(tmp_path / "label.duckdb") as warehouse:
        label = Catalogue.read(warehouse)
        for text in ("cleared in Japan for streaming", "owned by zoe"):
            with pytest.raises(InputError, match="is not in this file"):
                search(label, text, n=1)
    with pytest.raises(InputError, match="needs a name"):
        search(catalogue, "owned by ?", n=1)


def test_without_a_use_the_territory_alone_is_meant(catalogue: Catalogue) -> None:
    """As before there were licences."""
    assert parts_of("licensed for download in the whole world") == ("download", "WW")
    assert search(catalogue, "cleared for Brazil", n=1).understood == ("available in Brazil",)
