"""Spotify's extended streaming history and account data."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from recsys.ingest.pseudonym import listener_key, pseudonym

from .conftest import Inbox

STREAM: dict[str, Any] = {
    "ts": "2026-01-01T10:03:00Z",
    "platform": "ios",
    "ms_played": 120_000,
    "conn_country": "IN",
    "ip_addr": "10.0.0.1",
    "master_metadata_track_name": "Ghost",
    "master_metadata_album_artist_name": "Beyoncé",
    "master_metadata_album_album_name": "Album",
    "spotify_track_uri": "spotify:track:6I3",
    "episode_name": None,
    "reason_start": "clickrow",
    "reason_end": "trackdone",
    "shuffle": False,
    "skipped": None,
    "incognito_mode": False,
}
COLUMNS = ("track_id", "listened_at", "ms_played", "skipped", "source")


def after_ten(minute: int, second: int = 0) -> datetime:
    """Return a time on the first of January, after 10 o'clock."""
    return datetime(2026, 1, 1, 10, minute, second, tzinfo=UTC)


def account_of(inbox: Inbox, account: str) -> str:
    """Return the pseudonym of an account."""
    return pseudonym(account, listener_key(inbox.home.key_file))


def test_a_stream_is_a_listen_that_ended_at_its_time(inbox: Inbox) -> None:
    """It starts `ms_played` earlier; titles and artists are delivered with it, and the rest is not stored."""
    inbox.take("Streaming_History_Audio_2026_0.json", json.dumps([STREAM | {"username": "ana"}]))

    assert inbox.rows("listens").select("user_id", *COLUMNS).rows() == [
        (account_of(inbox, "ana"), "spotify:track:6I3", after_ten(1), 120_000, False, "active")
    ]
    assert inbox.rows("tracks").select("track_id", "title", "artist_id", "release_title").rows() == [
        ("spotify:track:6I3", "Ghost", "name:beyoncé", "Album")
    ]
    assert inbox.rows("artists").select("artist_id", "name").rows() == [("name:beyoncé", "Beyoncé")]


@pytest.mark.parametrize(
    ("fields", "skipped"),
    [
        ({"reason_end": "fwdbtn"}, True),
        ({"reason_end": "endplay", "skipped": False}, True),
        ({"reason_end": "trackdone", "skipped": True}, False),
        ({"ms_played": 0, "reason_end": "trackdone"}, True),
        ({"reason_end": "logout"}, None),
        ({"reason_end": "unexpected-exit", "skipped": True}, True),
        ({"reason_end": "logout", "skipped": 0}, False),
    ],
)
def test_who_ended_a_stream(inbox: Inbox, fields: dict[str, Any], skipped: bool | None) -> None:
    """The reason counts more than the flag, which old records lack or have wrong; 0 ms is a skip."""
    inbox.take("endsong_0.json", json.dumps([STREAM | fields]))

    assert inbox.rows("listens")["skipped"].to_list() == [skipped]


def test_invalid_and_spoken_streams_are_refused(inbox: Inbox) -> None:
    """A podcast has no recording; an invalid duration costs the duration only; each other record is read."""
    podcast = STREAM | {"spotify_track_uri": None, "master_metadata_track_name": None, "episode_name": "Talk"}
    bad = [podcast, STREAM | {"ts": "soon"}, {"ts": {}}, 7, STREAM | {"ms_played": -1}]
    inbox.take("endsong_0.json", json.dumps(bad))

    assert inbox.rows("listens").select("listened_at", "ms_played").rows() == [(after_ten(3), None)]
    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [
        ("missing_value", "track_id", 1),
        ("bad_type", "listened_at", 2),
        ("malformed_row", None, 3),
        ("malformed_row", None, 4),
    ]


def test_account_data_names_recordings_only(inbox: Inbox) -> None:
    """Ids are derived from the names; files of a folder belong to one listener."""
    plays = [
        {"endTime": "2026-01-01 10:10", "artistName": "Earth/Wind", "trackName": "Fire", "msPlayed": 60_000},
        {"endTime": "2026-01-01 10:12", "artistName": "Earth", "trackName": "Wind/Fire", "msPlayed": 0},
    ]
    inbox.take("StreamingHistory_music_0.json", json.dumps(plays))

    assert inbox.rows("listens").select("user_id", *COLUMNS).sort("listened_at").rows() == [
        (account_of(inbox, "folder:in"), "name:earth%2Fwind/fire", after_ten(9), 60_000, None, "unknown"),
        (account_of(inbox, "folder:in"), "name:earth/wind%2Ffire", after_ten(12), 0, True, "unknown"),
    ]


def test_a_history_without_records_has_no_known_content(inbox: Inbox) -> None:
    """An empty array does not say what it is."""
    assert "has no records" in inbox.complaint("StreamingHistory_music_0.json", "[]")
