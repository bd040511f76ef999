"""Likes in exports: Spotify's library, Last.fm's loved tracks, ListenBrainz feedback."""

import json
from datetime import UTC, date, datetime
from typing import Any

import pytest

from recsys.ingest.dialect import Dialect
from recsys.ingest.run import ingest

from .conftest import TODAY, Inbox
from .test_archives import zipped
from .test_spotify import STREAM

TEN, ELEVEN = datetime(2026, 1, 2, 10, tzinfo=UTC), datetime(2026, 1, 2, 11, tzinfo=UTC)
ONE, TWO = "aaaaaaaa-0000-4000-8000-000000000001", "aaaaaaaa-0000-4000-8000-000000000002"
LIBRARY = {
    "tracks": [
        {"artist": "Ada", "album": "First", "track": "One", "uri": "spotify:track:1"},
        {"artist": "Ada", "album": "First", "track": "Two", "uri": "spotify:track:2"},
    ],
    "albums": [{"artist": "Bix", "album": "Third", "uri": "spotify:album:3"}],
    "bannedTracks": [{"artist": "Cyd", "album": "Four", "track": "Five", "uri": "spotify:track:5"}],
}
LOVED = {
    "lovedtracks": {
        "track": [
            {
                "artist": {"name": "Ada", "mbid": "ar1"},
                "mbid": "mb1",
                "name": "One",
                "date": {"uts": str(int(TEN.timestamp()))},
            },
            {
                "artist": {"name": "Ada", "mbid": ""},
                "mbid": "",
                "name": "Two",
                "date": {"uts": str(int(ELEVEN.timestamp()))},
            },
            "not a track",
        ],
        "@attr": {"user": "ann", "page": "1", "totalPages": "1"},
    }
}


def feedback(mbid: str | None, score: int, created: datetime, **more: Any) -> dict[str, Any]:
    """Return a feedback as in the export."""
    return {"recording_msid": "x", "recording_mbid": mbid, "score": score, "created": int(created.timestamp())} | more


def events(inbox: Inbox) -> list[tuple[str, str, datetime]]:
    """Return track, kind and time of every event, ordered by track."""
    return inbox.rows("events").select("track_id", "event", "event_at").sort("track_id", "event_at").rows()


def test_saved_tracks_of_spotify_have_the_stated_day(inbox: Inbox) -> None:
    """Albums and banned tracks are not read; the names enter the catalogue."""
    path = inbox.put("YourLibrary.json", json.dumps(LIBRARY))
    ingest(inbox.home, [path], today=TODAY, user="ann", dialect=Dialect(day=date(2026, 1, 20)))

    day = datetime(2026, 1, 20, tzinfo=UTC)
    assert events(inbox) == [("spotify:track:1", "save", day), ("spotify:track:2", "save", day)]
    assert inbox.rows("tracks").select("title", "artist_id", "release_title").rows() == [
        ("One", "name:ada", "First"),
        ("Two", "name:ada", "First"),
    ]


def test_saved_tracks_without_a_stated_day_are_not_guessed(inbox: Inbox) -> None:
    """Alone they are refused with the option; in the delivered archive they are passed over, and the rest is read."""
    files = {"YourLibrary.json": json.dumps(LIBRARY), "Streaming_History_Audio_0.json": json.dumps([STREAM])}
    report = inbox.take("my_spotify_data.zip", zipped(files))

    assert "--day 2026-01-31" in inbox.complaint("YourLibrary.json", files["YourLibrary.json"])
    assert [name for _, name in report.skipped] == ["YourLibrary.json"]
    assert (inbox.rows("events").height, inbox.rows("listens").height) == (0, 1)


def test_loved_tracks_of_lastfm(inbox: Inbox) -> None:
    """A track without an MBID is identified by its names; what is no track is malformed."""
    inbox.take("loved.json", json.dumps(LOVED))

    assert events(inbox) == [("mb1", "like", TEN), ("name:ada/two", "like", ELEVEN)]
    assert inbox.rows("tracks").sort("track_id").select("track_id", "artist_id", "title").rows() == [
        ("mb1", "ar1", "One"),
        ("name:ada/two", "name:ada", "Two"),
    ]
    assert inbox.refused() == [("malformed_row", None, "loved.json", 3)]


def test_loved_tracks_and_scrobbles_of_an_account_have_one_listener(inbox: Inbox) -> None:
    """The account in the file decides, whatever the folder."""
    scrobble = {"name": "One", "artist": {"#text": "Ada", "mbid": ""}, "mbid": "", "date": {"uts": "1767348000"}}
    inbox.take("loved.json", json.dumps(LOVED))
    inbox.take("recent.json", json.dumps({"recenttracks": {"track": [scrobble], "@attr": {"user": "ann"}}}))

    assert set(inbox.rows("events")["user_id"]) == set(inbox.rows("listens")["user_id"])


@pytest.mark.parametrize("form", ["lines", "answer"])
def test_feedback_of_listenbrainz(inbox: Inbox, form: str) -> None:
    """A love is a like, its removal an unlike; a hate has no event; a recording without an id or names is refused."""
    named = {"track_metadata": {"track_name": "Two", "artist_name": "Ada", "mbid_mapping": {"recording_mbid": TWO}}}
    given = [feedback(ONE, 1, TEN), feedback(ONE, 0, ELEVEN), feedback(TWO, -1, TEN)]
    given += [feedback(None, 1, TEN, **named), feedback(None, 1, TEN), feedback(ONE, 7, TEN)]
    if form == "lines":
        inbox.take("feedback.jsonl", "".join(json.dumps(one) + "\n" for one in given))
    else:
        inbox.take("answer.json", json.dumps({"count": 6, "feedback": given, "offset": 0, "total_count": 6}))

    assert events(inbox) == [(ONE, "like", TEN), (ONE, "unlike", ELEVEN), (TWO, "like", TEN)]
    assert inbox.rows("tracks").select("track_id", "title").rows() == [(TWO, "Two")]
    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [
        ("missing_value", "track_id", 5),
        ("not_allowed", "event", 6),
    ]


LIKED = (
    "Video ID,Playlist Video Creation Timestamp\n-e8Nfjl_AKk,2026-01-02T10:00:00+00:00\n,2026-01-02T11:00:00+00:00\n"
)
SONGS = (
    "ID do vídeo,Song Title,Album Title,Artist Name 1,Artist Name 2\n-e8Nfjl_AKk,Solar,9,Sault,\nb,Air,Air,Sault,Bix\n"
)


def test_liked_and_saved_songs_of_youtube_music(inbox: Inbox) -> None:
    """Other playlists are passed over in the archive; liked songs have the names of the library."""
    folder = "Takeout/YouTube and YouTube Music"
    members = {
        f"{folder}/playlists/Liked music-videos.csv": LIKED,
        f"{folder}/playlists/Running-videos.csv": LIKED.replace("-e8", "-e9"),
        f"{folder}/music (library and uploads)/music library songs.csv": SONGS,
    }
    path = inbox.put("takeout.zip", zipped(members))
    report = ingest(inbox.home, [path], today=TODAY, user="ann", dialect=Dialect(day=date(2026, 1, 20)))

    day = datetime(2026, 1, 20, tzinfo=UTC)
    assert events(inbox) == [
        ("youtube:-e8Nfjl_AKk", "like", TEN),
        ("youtube:-e8Nfjl_AKk", "save", day),
        ("youtube:b", "save", day),
    ]
    assert inbox.rows("tracks").select("track_id", "title", "artist_id", "release_title").rows() == [
        ("youtube:-e8Nfjl_AKk", "Solar", "name:sault", "9"),
        ("youtube:b", "Air", "name:sault", "Air"),
    ]
    assert [name.rpartition("/")[2] for _, name in report.skipped] == ["Running-videos.csv"]
    assert [(reason, column, line) for reason, column, _, line in inbox.refused()] == [("missing_value", "track_id", 3)]


def test_a_playlist_of_youtube_alone_is_refused_with_a_remedy(inbox: Inbox) -> None:
    """Only its name says what it is; times of older exports are read."""
    assert "name it Liked music.csv" in inbox.complaint("Liked videos.csv", LIKED)
    assert "--day 2026-01-31" in inbox.complaint("music library songs.csv", SONGS)

    inbox.take("Liked Music.csv", "Video Id,Time Added\nabc,2026-01-02 10:00:00 UTC\n")

    assert events(inbox) == [("youtube:abc", "like", TEN)]
