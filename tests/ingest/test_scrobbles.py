"""Listening histories of ListenBrainz, Last.fm, maloja, Koito and players, in the fields that each documents."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from recsys.ingest.pseudonym import listener_key, pseudonym

from .conftest import Inbox
from .test_archives import zipped

UTS = int(datetime(2026, 1, 1, 10, tzinfo=UTC).timestamp())
TEN = datetime(2026, 1, 1, 10, tzinfo=UTC)
MBID = "f8d186be-5bdf-4e2d-883a-0a3c4d7a9989"
LISTEN: dict[str, Any] = {
    "listened_at": UTS,
    "recording_msid": "92fc76b4-bda0-4c2c-82b9-1ef4d489c071",
    "user_name": "ana",
    "track_metadata": {
        "track_name": "Halo",
        "artist_name": "Beyoncé",
        "release_name": "I Am",
        "additional_info": {"isrc": "USSM10804556", "duration_ms": 261_000, "music_service": "spotify.com"},
    },
}
MAPPED: dict[str, Any] = {"mbid_mapping": {"recording_mbid": MBID, "artist_mbids": ["ar-1"]}}
NAMED = [("name:beyoncé/halo", "Halo", "name:beyoncé")]


def tracks(inbox: Inbox) -> list[tuple[str, ...]]:
    """Return id, title and artist of the recordings in the lake."""
    return inbox.rows("tracks").select("track_id", "title", "artist_id").rows()


def plays(inbox: Inbox) -> list[tuple[str, str, datetime]]:
    """Return listener, recording and time of the listens in the lake, in the order of time."""
    return inbox.rows("listens").select("user_id", "track_id", "listened_at").sort("listened_at").rows()


def ana(inbox: Inbox, account: str = "ana") -> str:
    """Return the pseudonym of an account."""
    return pseudonym(account, listener_key(inbox.home.key_file))


def lines(*records: object) -> str:
    """Return JSON Lines."""
    return "".join(json.dumps(record) + "\n" for record in records)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("1.jsonl", lines(LISTEN)),
        ("array.json", json.dumps([LISTEN])),
        ("answer.json", json.dumps({"payload": {"count": 1, "listens": [LISTEN], "user_id": "ana"}}, indent=1)),
        ("dump.listens", lines({**LISTEN, "listened_at": None, "timestamp": UTS, "user_id": 7})),
        ("export.zip", zipped({"user.json": '{"username": "ana"}', "listens/2026/1.jsonl": lines(LISTEN)})),
    ],
    ids=["lines", "array", "answer", "dump", "export"],
)
def test_listenbrainz_listens(inbox: Inbox, name: str, content: str | bytes) -> None:
    """In the export, the API's answer and the dumps; the ISRC and the duration become the recording's."""
    inbox.take(name, content)

    assert plays(inbox) == [(ana(inbox), "name:beyoncé/halo", TEN)]
    assert tracks(inbox) == NAMED
    assert inbox.rows("tracks").select("isrc", "duration_ms", "release_title").rows() == [
        ("USSM10804556", 261_000, "I Am")
    ]


def test_listenbrainz_identifies_recordings(inbox: Inbox) -> None:
    """By its mapping, then by what the client sent; several artists are one credit."""
    metadata = LISTEN["track_metadata"]
    several = {"recording_mbid": "rec-2", "artist_mbids": ["ar-1", "ar-2"], "duration": 10.5}
    inbox.take(
        "1.jsonl",
        lines(
            LISTEN | {"track_metadata": metadata | MAPPED},
            LISTEN | {"track_metadata": metadata | {"additional_info": several}},
            {"track_metadata": {}, "listened_at": UTS},
            {"track_metadata": None},
        ),
    )

    assert tracks(inbox) == [(MBID, "Halo", "ar-1"), ("rec-2", "Halo", "name:beyoncé")]
    assert inbox.rows("tracks")["duration_ms"].to_list() == [261_000, 10_500]
    assert inbox.refused() == [("missing_value", "track_id", "1.jsonl", 3), ("malformed_row", None, "1.jsonl", 4)]


SCROBBLE: dict[str, Any] = {
    "artist": {"mbid": "", "#text": "Beyoncé"},
    "name": "Halo",
    "mbid": "",
    "album": {"mbid": "", "#text": "I Am"},
    "date": {"uts": str(UTS), "#text": "01 Jan 2026, 10:00"},
}
PLAYING = {key: value for key, value in SCROBBLE.items() if key != "date"} | {"@attr": {"nowplaying": "true"}}
PAGE = {"track": [PLAYING, SCROBBLE], "@attr": {"user": "ana", "page": "1"}}


@pytest.mark.parametrize(
    ("content", "account"),
    [
        ({"recenttracks": PAGE}, "ana"),
        ([PAGE], "ana"),
        ([SCROBBLE, PLAYING], "folder:in"),
        ([SCROBBLE | {"artist": {"name": "Beyoncé", "mbid": ""}, "loved": "0"}], "folder:in"),
    ],
    ids=["answer", "pages", "array", "extended"],
)
def test_lastfm_json(inbox: Inbox, content: object, account: str) -> None:
    """The track that is playing now is no listen."""
    inbox.take("recenttracks.json", json.dumps(content))

    assert plays(inbox) == [(ana(inbox, account), "name:beyoncé/halo", TEN)]
    assert tracks(inbox) == NAMED
    assert inbox.refused() == []


@pytest.mark.parametrize(
    "text",
    [
        f'uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"{UTS}",,"Beyoncé","",I Am,,Halo,\n',
        'Beyoncé,I Am,Halo,"01 Jan 2026, 10:00"\n',
        "Beyoncé,I Am,Halo,01 Jan 2026 10:00\n",
        "Artist;Album;Title;Date\nBeyoncé;I Am;Halo;01 Jan 2026 10:00\n",
        "artist,album,track,utc_time\nBeyoncé,I Am,Halo,2026-01-01 10:00:00\n",
        f"#AUDIOSCROBBLER/1.1\n#TZ/UTC\n#CLIENT/Rockbox\nBeyoncé\tI Am\tHalo\t3\t261\tL\t{UTS}\t\n",
        f"#AUDIOSCROBBLER/1.0\n#TZ/UTC\n#CLIENT/Rockbox\nBeyoncé\tI Am\tHalo\t\t\tL\t{UTS}\n",
    ],
)
def test_exported_scrobbles(inbox: Inbox, text: str) -> None:
    """CSV with and without a header, and the logs of players."""
    inbox.take("scrobbles", text)

    assert plays(inbox) == [(ana(inbox, "folder:in"), "name:beyoncé/halo", TEN)]
    assert tracks(inbox) == NAMED
    assert inbox.rows("tracks")["release_title"].to_list() == ["I Am"]
    assert inbox.refused() == []


def test_a_players_log_has_skips_and_lengths(inbox: Inbox) -> None:
    """The length is the recording's; a record of other fields or bytes is malformed."""
    log = f"#AUDIOSCROBBLER/1.1\nÉ\t\tOne\t1\t200\tS\t{UTS}\tmb1\nA\tOne\n".encode()
    inbox.take(".scrobbler.log", log + f"\xff\t\tX\t1\t1\tL\t{UTS}\t\n".encode("latin-1"))

    assert inbox.rows("listens").select("track_id", "skipped", "ms_played").rows() == [("mb1", True, None)]
    assert inbox.rows("tracks")["duration_ms"].to_list() == [200_000]
    assert [(reason, line) for reason, _, _, line in inbox.refused()] == [("malformed_row", 3), ("malformed_row", 4)]


def test_maloja_and_koito(inbox: Inbox) -> None:
    """Several artists are one credit; a duration is the time listened in maloja, and the recording's in Koito."""
    maloja = {
        "time": UTS,
        "track": {"artists": ["A", "B"], "title": "One", "album": None, "length": 200},
        "duration": 9,
    }
    alias = {"alias": "Due", "is_primary": False}, {"alias": "Two", "is_primary": True}
    koito = {
        "listened_at": "2026-01-01T10:00:00Z",
        "track": {"mbid": None, "duration": 100, "aliases": alias},
        "album": {"aliases": [{"alias": "Album", "is_primary": True}]},
        "artists": [{"aliases": [{"alias": "C", "is_primary": True}]}],
    }
    inbox.take(
        "maloja.json", json.dumps({"maloja": {"export_time": 1}, "scrobbles": [maloja, {"time": 1, "track": 7}]})
    )
    inbox.take("koito.json", json.dumps({"version": "1", "user": "ana", "listens": [koito]}))

    assert plays(inbox) == [
        (ana(inbox, "folder:in"), "name:a, b/one", TEN),
        (ana(inbox), "name:c/two", TEN),
    ]
    assert inbox.rows("listens")["ms_played"].to_list() == [9_000, None]
    assert inbox.rows("tracks").select("duration_ms", "release_title").rows() == [(200_000, None), (100_000, "Album")]
    assert inbox.refused() == [("malformed_row", None, "maloja.json", 2)]


def test_a_history_with_a_header(inbox: Inbox) -> None:
    """Last.fm-1K is also shared with one."""
    inbox.take(
        "h.tsv", "userid\ttimestamp\tartid\tartname\ttraid\ttraname\nu\t2026-01-01T10:00:00Z\t\tBeyoncé\t\tHalo\n"
    )

    assert plays(inbox) == [(ana(inbox, "u"), "name:beyoncé/halo", TEN)]


def test_names_are_compared_in_one_form(inbox: Inbox) -> None:
    """Composed or not, in any case and spacing, a name is one; a slash in a name does not join names."""
    rows = [
        "Beyonce\u0301\t\tHalo",
        "BEYONCÉ \t\t HALO",
        "Earth/Wind\t\tFire",
        "Earth\t\tWind/Fire",
        "Straße\t\tA",
        "STRASSE\t\ta",
    ]
    inbox.take("h.tsv", "".join(f"u\t2026-01-01T10:00:0{n}Z\t\t{row}\n" for n, row in enumerate(rows)))

    assert [track for _, track, _ in plays(inbox)] == [
        "name:beyoncé/halo",
        "name:beyoncé/halo",
        "name:earth%2Fwind/fire",
        "name:earth/wind%2Ffire",
        "name:strasse/a",
        "name:strasse/a",
    ]
