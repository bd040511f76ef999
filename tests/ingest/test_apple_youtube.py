"""Apple Music's play activity and YouTube Music's watch history."""

import json
from datetime import UTC, datetime
from typing import Any

from .conftest import Inbox
from .test_archives import zipped

HEADER = (
    "Apple Id Number,Album Name,Artist Name,Build Version,Client IP Address,End Position In Milliseconds,"
    "End Reason Type,Event End Timestamp,Event Start Timestamp,Event Type,Media Duration In Milliseconds,Media Type,"
    "Play Duration Milliseconds,Song Name,UTC Offset In Seconds\n"
)
ENTRY: dict[str, Any] = {
    "header": "YouTube Music",
    "title": "Watched Solar",
    "titleUrl": "https://www.youtube.com/watch?v=-e8Nfjl_AKk",
    "subtitles": [{"name": "Sault - Topic", "url": "https://www.youtube.com/channel/UC"}],
    "time": "2026-01-01T10:00:00.784Z",
    "products": ["YouTube"],
}


def play(
    *, artist: str = "Ada", reason: str, start: str = "2026-01-01T10:00:00Z", event: str = "PLAY_END", ms: int
) -> str:
    """Return a row of play activity."""
    return (
        f"7,Album,{artist},x,10.0.0.1,9,{reason},2026-01-01T10:05:00.5Z,{start},{event},200000,AUDIO,{ms},Song,-18000\n"
    )


def test_apple_music_plays(inbox: Inbox) -> None:
    """A skip is what the listener ended; starts of plays are no listens; without a start, the end counts."""
    rows = [
        play(reason="NATURAL_END_OF_TRACK", ms=200_000),
        play(reason="NATURAL_END_OF_TRACK", ms=0, event="PLAY_START"),
        play(reason="TRACK_SKIPPED_FORWARDS", ms=60_000, start=""),
        play(reason="PLAYBACK_MANUALLY_PAUSED", ms=-1, start="2026-01-01T12:00:00Z"),
        play(reason="PLAYBACK_MANUALLY_PAUSED", ms=5, artist="", start="2026-01-01T11:00:00Z", event=""),
    ]
    inbox.take("Apple Music Play Activity.csv", HEADER + "".join(rows))

    columns = ("track_id", "listened_at", "ms_played", "skipped", "utc_offset_min")
    assert inbox.rows("listens").select(columns).sort("listened_at").rows() == [
        ("name:ada/song", datetime(2026, 1, 1, 10, tzinfo=UTC), 200_000, False, -300),
        ("name:ada/song", datetime(2026, 1, 1, 10, 4, 0, 500_000, tzinfo=UTC), 60_000, True, -300),
        ("album:album/song", datetime(2026, 1, 1, 11, tzinfo=UTC), 5, None, -300),
        ("name:ada/song", datetime(2026, 1, 1, 12, tzinfo=UTC), None, None, -300),
    ]
    assert inbox.rows("tracks").select("track_id", "title", "duration_ms").rows() == [
        ("name:ada/song", "Song", 200_000)
    ]
    assert inbox.refused() == []


def test_apple_music_without_rows(inbox: Inbox) -> None:
    """A header alone is an empty history."""
    (batch, *_) = inbox.take("Apple Music Play Activity.csv", HEADER).batches

    assert (batch.table, batch.n_read) == ("listens", 0)


def test_youtube_music_entries(inbox: Inbox) -> None:
    """Videos are left out; an entry of a deleted video is refused; the words for "watched" are removed."""
    video = ENTRY | {"header": "YouTube", "titleUrl": "https://www.youtube.com/watch?v=other"}
    german = ENTRY | {"header": "YouTube", "titleUrl": "https://music.youtube.com/watch?v=b", "title": "Air angesehen"}
    deleted = {"header": "YouTube Music", "title": "Watched a video that has been removed", "time": ENTRY["time"]}
    odd = ENTRY | {"titleUrl": "https://[", "subtitles": [7], "title": None, "time": 3}
    entries = [video, ENTRY, german, deleted, odd, "x"]
    path = "Takeout/YouTube and YouTube Music/history/watch-history.json"
    inbox.take("takeout.zip", zipped({path: json.dumps(entries), "archive_browser.html": "<p>a, b</p>"}))

    assert inbox.rows("tracks").select("track_id", "title", "artist_id").rows() == [
        ("youtube:-e8Nfjl_AKk", "Solar", "name:sault"),
        ("youtube:b", "Air", "name:sault"),
    ]
    assert inbox.rows("listens")["ms_played"].to_list() == [None, None]
    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [
        ("missing_value", "track_id", 4),
        ("missing_value", "track_id", 5),
        ("malformed_row", None, 6),
    ]
