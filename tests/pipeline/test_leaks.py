"""What can be learned from a label's own warehouse file: attacks on the files of a run, compared with the truth."""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl
import pytest

from recsys.errors import InputError
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse, run_query
from recsys.warehouse.sqlfile import read_layers, read_queries

MARTS = {name: file for name, file in read_layers().items() if file.label_rules}


@dataclass(frozen=True)
class Theft:
    """A label, its opened file, the whole warehouse, and the ids of all other labels."""

    label_id: str
    own: Warehouse
    whole: Warehouse
    others: frozenset[str]


@pytest.fixture(scope="module")
def theft(finished: Run) -> Iterator[Theft]:
    """The label with most recordings, and the ids that it should not see."""
    with Warehouse.open(finished.home.published_warehouse()) as whole:
        label_id = whole.query("select mode(label_id) as label_id from marts.track_features").item()
        others = whole.query(
            """
            with catalogue as (select label_id, artist_id, track_id from marts.track_features),
            mine as (select artist_id from catalogue where label_id = $label_id)
            select distinct unnest([label_id, artist_id, track_id]) as id from catalogue
            where label_id <> $label_id and artist_id not in (select artist_id from mine where artist_id is not null)
            union select user_id from marts.listener_profile
            """,
            {"label_id": label_id},
        )["id"]
        with Warehouse.open(registry.label_warehouse(finished.home, label_id)) as own:
            yield Theft(label_id, own, whole, frozenset(others.drop_nulls()))


def texts(frame: pl.DataFrame) -> set[object]:
    """Every text in a frame."""
    return {value for column in frame.select(pl.col(pl.String)).iter_columns() for value in column}


@pytest.mark.parametrize("mart", MARTS)
def test_a_file_names_nothing_of_others(theft: Theft, mart: str) -> None:
    """No table holds another label's recordings or artists, or a listener; lines of overlap name public artists."""
    public = {*theft.own.query("select artist_id from marts.overlapping_artists")["artist_id"]}
    found = texts(theft.own.query(f"select * from {mart}"))
    allowed = public if mart in ("marts.label_figures", "marts.overlapping_artists") else set()

    assert public
    assert not (found - allowed) & theft.others


def test_only_lines_of_overlap_name_other_artists(theft: Theft) -> None:
    """Each has a recording that was played on or after its release date, so it is public."""
    other_lines = theft.own.query("select * from marts.label_figures where dimension <> 'overlap'")
    named = theft.own.query("select distinct artist_id from marts.overlapping_artists")["artist_id"]
    played = theft.whole.query(
        """
        select distinct tracks.artist_id
        from marts.track_daily as daily
        inner join marts.track_features as tracks on daily.track_id = tracks.track_id
        where daily.n_plays > 0 and tracks.release_date <= daily.listen_date
        """
    )["artist_id"]

    assert not texts(other_lines) & theft.others
    assert set(named) <= set(played)


@pytest.mark.parametrize("name", read_queries())
def test_no_query_finds_what_is_others(theft: Theft, name: str) -> None:
    """Queries for another label's ids return no rows, or fail because the file lacks the table."""
    needed = {param: "" for param, doc in read_queries()[name].params.items() if doc.default is None}
    names = [*needed, *(param for param in read_queries()[name].params if param.endswith(("_id", "label", "artist")))]
    stolen = [dict.fromkeys(names, other) for other in sorted(theft.others)[:: max(1, len(theft.others) // 12)]]

    for params in (needed, *stolen):
        try:
            found = texts(run_query(theft.own, name, params))
        except InputError as refused:
            assert "does not exist" in str(refused) or "ould not convert" in str(refused)  # noqa: PT017
        else:
            assert not (found - set(params.values())) & theft.others
