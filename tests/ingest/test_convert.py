"""Data that is recognised but not read, and charts in their older shapes."""

import json
from datetime import date

import polars as pl
import pytest

from .conftest import Inbox
from .test_archives import zipped
from .test_parquet import packed

YAMBDA = {"uid": [1], "item_id": [2], "timestamp": [3], "is_organic": [1]}
MPD = {"info": {"slice": "0-999"}, "playlists": [{"name": "x", "pid": 1, "tracks": [{"pos": 0}]}]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            packed(pl.DataFrame({**YAMBDA, "played_ratio_pct": [9], "track_length_seconds": [9]})),
            "is Yambda, a log of listens",
        ),
        (packed(pl.DataFrame(YAMBDA)), "is Yambda, a log of likes"),
        (json.dumps(MPD), "Million Playlist Dataset"),
        (",album,album,artist\n,comments,id,id\ntrack_id,,,\n2,0,1,1\n", "is tracks.csv of FMA"),
        ("userID\tartistID\tweight\n2\t51\t13883\n", "HetRec 2011"),
        ("userID\tfriendID\n2\t3\n", "tags or friends"),
        ("id\tname\turl\tpictureURL\n1\tAda\tx\ty\n", "--map artist_id=id,name=name"),
        ("Song Title,Artist,ISRC,Album Title,Listening Time,Date\n", "a listening history of Deezer"),
        ("artist_name,track_title,entry_date,product_type\n", "a listening history of Tidal"),
        ("Track Description,Play Count,Date Played\n", "Apple Music Play Activity.csv"),
        ("recording_mbid,canonical_recording_mbid,canonical_release_mbid\n", "redirects of MusicBrainz"),
        ("<html><head><title>YouTube, history</title>", "takeout.google.com"),
        (b"SQLite format 3\x00,", "an SQLite database"),
        (b"BZh91AY,", "compressed by bzip2"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook"),
    ],
)
def test_known_data_is_named_with_its_conversion(inbox: Inbox, content: str | bytes, message: str) -> None:
    """Nothing of it is ingested."""
    assert message in inbox.complaint("data", content)


def test_known_data_in_an_archive_is_skipped(inbox: Inbox) -> None:
    """What can be read beside it is read."""
    report = inbox.take(
        "a.zip", zipped({"likes.csv": "uid,item_id,timestamp,is_organic\n", "a.csv": "artist_id,name\nar1,Ada\n"})
    )

    assert [name for _, name in report.skipped] == ["likes.csv"]
    assert inbox.rows("artists")["name"].to_list() == ["Ada"]


SONGS = [(date(1958, 8, 2), 1, "One", "Ada"), (date(1958, 8, 9), 2, "One", "Ada")]


@pytest.mark.parametrize(
    "text",
    [
        "url,WeekID,Week Position,Song,Performer,SongID\nx,8/2/1958,1,One,Ada,y\nx,8/9/1958,2,One,Ada,y\n",
        "Chart Week,Current Week,Title,Performer,Last Week\n1958-08-02,1,One,Ada,\n1958-08-09,2,One,Ada,1\n",
        "artist,track,time,date.entered,wk1,wk2,wk3\nAda,One,3:00,1958-08-02,1,2,NA\n",
        json.dumps(
            [
                {"date": "1958-08-02", "data": [{"song": "One", "artist": "Ada", "this_week": 1, "last_week": None}]},
                {"date": "1958-08-09", "data": [{"song": "One", "artist": "Ada", "this_week": 2, "last_week": 1}]},
            ]
        ),
        json.dumps(
            [
                {"date": "1958-08-02", "rank": 1, "song": "One", "artist": "Ada"},
                {"date": "1958-08-09", "rank": 2, "song": "One", "artist": "Ada"},
            ]
        ),
    ],
    ids=["WeekID", "spaces", "wide", "weeks", "array"],
)
def test_charts_in_older_shapes(inbox: Inbox, text: str) -> None:
    """Each is read without conversion."""
    inbox.take("hot100.data", text)

    rows = inbox.rows("charts").select("chart_date", "rank", "title", "artist").sort("chart_date").rows()
    assert rows == SONGS
    assert inbox.refused() == []
