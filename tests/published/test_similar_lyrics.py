"""Similar lyrics: recordings that say the same, in any language, before others. All verses are made up."""

from pathlib import Path

import duckdb
import pytest

from recsys.errors import UnknownIds
from recsys.published.similar_lyrics import says_like
from recsys.search.by_sound import ListLimits
from recsys.search.by_text import VerseIndex
from recsys.text.encoder import VERSION, encode
from recsys.warehouse.query import Warehouse

LEAVING = "i packed my bags and left my home this morning"
VERSES = [
    ("t1", 1, LEAVING),
    ("t1", 2, "the train is rolling through the night"),
    ("t2", 1, "der zug rollt durch die nacht"),
    ("t2", 2, "heute morgen packte ich meine koffer und verließ mein zuhause"),
    ("t3", 1, "everybody on the floor we dance until the morning"),
    ("t4", 1, LEAVING),
    ("copy", 1, LEAVING),
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    """A file with lyrics of five recordings, of which `copy` is the same recording as t1."""
    with duckdb.connect(tmp_path / "w.duckdb") as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.track_features as select unnest(['t1', 't2', 't3', 't4', 'copy']) as track_id, "
            "'x' as title, track_id as artist_id, 'Ada' as artist_name, null::varchar as release_title, "
            "null::date as taken_down_at, "
            "null::double as tempo_bpm"
        )
        connection.execute("create table marts.duplicate_links as select 'copy' as track_id, 't1' as same_as")
        connection.execute(
            "create table marts.track_lyrics as select track_id, 'en' as language, 9 as n_words "
            "from marts.track_features"
        )
        connection.execute(
            "create table marts.track_tags (track_id varchar, tag varchar, probability double, confidence double)"
        )
        connection.execute(
            "create table marts.lyric_vectors (track_id varchar, section integer, encoder varchar, vector float[])"
        )
        vectors = encode([text for *_, text in VERSES])
        rows = [
            [track, section, VERSION, row.tolist()] for (track, section, _), row in zip(VERSES, vectors, strict=True)
        ]
        connection.executemany("insert into marts.lyric_vectors values (?, ?, ?, ?)", rows)
    return Warehouse.open(tmp_path / "w.duckdb")


def test_recordings_that_say_the_same_come_first(warehouse: Warehouse) -> None:
    """The translation has both verses, t4 one of two; the recording and its copies are left out."""
    with warehouse:
        verses = VerseIndex.build(warehouse)
        rows = says_like(warehouse, verses, "t1", ListLimits(5))
        one = says_like(warehouse, verses, "t1", ListLimits(5), where="track_id <> 't2'")

    assert rows["track_id"].to_list() == ["t2", "t4", "t3"]
    assert rows["rank"].to_list() == [1, 2, 3]
    first, last = encode([LEAVING]), encode([text for _, _, text in VERSES[:2]])
    assert rows["similarity"][1] == pytest.approx(float((last @ first.T).mean()), abs=1e-3)
    assert one["track_id"].to_list() == ["t4", "t3"]


def test_a_recording_without_lyrics_is_refused(warehouse: Warehouse) -> None:
    """The message says what lacks it."""
    with warehouse, pytest.raises(UnknownIds, match="index of verses"):
        says_like(warehouse, VerseIndex.build(warehouse), "t9", ListLimits(5))
