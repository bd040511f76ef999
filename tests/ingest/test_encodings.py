"""Every format of texts reads the encoding that is stated, alone and in archives, and refuses another one."""

import io
import json
import zipfile
from typing import Any

import pytest

from recsys.ingest.dialect import Dialect
from recsys.ingest.run import IngestReport, ingest

from .conftest import TODAY, Inbox
from .test_dsr import BLOCKS, FOOT, HEAD, SUMMARIES

TITLE, ARTIST, TIME = "Café", "Él", "2026-01-02T10:00:00Z"
SPOTIFY = {"ts": TIME, "ms_played": 9000, "spotify_track_uri": "spotify:track:1", "username": "ann"} | {
    "master_metadata_track_name": TITLE,
    "master_metadata_album_artist_name": ARTIST,
}
LISTEN = {"listened_at": 1767348000, "user_name": "ann"} | {
    "track_metadata": {"track_name": TITLE, "artist_name": ARTIST}
}
SCROBBLE = {"name": TITLE, "artist": {"#text": ARTIST, "mbid": ""}, "mbid": "", "date": {"uts": "1767348000"}}
KOITO = {"listened_at": TIME, "track": {"aliases": [{"alias": TITLE}]}, "artists": [{"aliases": [{"alias": ARTIST}]}]}
MALOJA = {"time": 1767348000, "track": {"title": TITLE, "artists": [ARTIST]}}


def text(value: Any) -> str:
    """Return JSON without escapes."""
    return json.dumps(value, ensure_ascii=False)


TEXTS = {
    "lines.jsonl": text(LISTEN) + "\n",
    "array.json": "\n" + text([SPOTIFY]) + "\n",
    "in_object.json": text({"recenttracks": {"track": [SCROBBLE], "@attr": {"user": "ann"}}}),
    "in_payload.json": text({"payload": {"listens": [LISTEN]}}),
    "koito.json": text({"user": "ann", "listens": [KOITO]}),
    "maloja.json": text({"scrobbles": [MALOJA]}),
    "rockbox.log": f"#AUDIOSCROBBLER/1.1\n{ARTIST}\tAlbum\t{TITLE}\t1\t200\tL\t1767348000\n",
    "headerless.csv": f"{ARTIST},Album,{TITLE},02 Jan 2026 10:00\n",
    "history.tsv": f"ann\t{TIME}\t\t{ARTIST}\t\t{TITLE}\n",
    "own.jsonl": text({"track_id": "t", "title": TITLE, "artist_id": "a", "name": ARTIST}) + "\n",
    "sales.tsv": HEAD + SUMMARIES + BLOCKS.replace("Three", TITLE) + FOOT,
}


ENCODINGS = ["windows-1252", "utf-16-le", "utf-16-be"]


def take(inbox: Inbox, files: dict[str, bytes], encoding: str | None = None) -> IngestReport:
    """Ingest files in a stated encoding."""
    paths = [inbox.put(name, content) for name, content in files.items()]
    return ingest(inbox.home, paths, today=TODAY, dialect=Dialect(encoding))


def zipped(name: str, content: bytes) -> bytes:
    """Return a zip archive with one member."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def assert_same_as_utf8(inbox: Inbox, report: IngestReport) -> None:
    """Check that every file was read whole, and that its names have the letters that UTF-8 would give."""
    assert (report.unreadable, inbox.refused()) == ([], [])
    assert {batch.source_file for batch in report.batches if batch.n_read} == {
        path.name for path in inbox.folder.iterdir()
    }
    assert set(inbox.rows("tracks")["title"]) == {TITLE}
    assert set(inbox.rows("artists")["name"]) == {ARTIST}
    assert TITLE in inbox.rows("sales")["title"].to_list()


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_stated_encoding_is_read(inbox: Inbox, encoding: str) -> None:
    """In every format of texts."""
    report = take(inbox, {name: content.encode(encoding) for name, content in TEXTS.items()}, encoding)

    assert_same_as_utf8(inbox, report)


@pytest.mark.parametrize("encoding", ["cp850", "utf-16"])
def test_members_of_archives_are_read_in_the_stated_encoding(inbox: Inbox, encoding: str) -> None:
    """A byte order mark in a member overrides it."""
    archives = {f"{name}.zip": zipped(name, content.encode(encoding)) for name, content in TEXTS.items()}
    report = take(inbox, archives, "cp850")

    assert_same_as_utf8(inbox, report)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_unstated_encoding_is_refused(inbox: Inbox, encoding: str) -> None:
    """Whole, with the way out; no letter is guessed and no row enters."""
    report = take(inbox, {name: content.encode(encoding) for name, content in TEXTS.items()})

    assert report.batches == []
    assert [path.name for path, why in report.unreadable if f"--encoding {encoding}" in why] == list(TEXTS)
    assert inbox.refused() == [("unreadable_file", None, name, 1) for name in sorted(TEXTS)]


def test_text_after_an_array_in_an_object_is_checked(inbox: Inbox) -> None:
    """Bytes that are not UTF-8 are found up to the end of the file, also after the last record."""
    plain = SCROBBLE | {"name": "Plain", "artist": {"#text": "X"}}
    page = text({"recenttracks": {"track": [plain], "@attr": {"user": "Zoë"}}})

    assert "--encoding windows-1252" in inbox.complaint("page.json", page.encode("windows-1252"))
