"""
YouTube Music in Google Takeout: `watch-history.json`, as JSON or in the delivered zip.

Entries of YouTube Music (`header`, or an address at music.youtube.com) are listens; videos of YouTube are left out. The
recording is `youtube:<video>`; its title is `title` without the words for "watched" in some languages, its artist the
channel in `subtitles` without " - Topic". There are no durations, so that each entry counts as a play. The account is
`Source.account`.

Source: Google Takeout (https://takeout.google.com), "YouTube and YouTube Music", history as JSON.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from recsys.ingest import names
from recsys.ingest.json_records import Scalar, first_record, frame, records
from recsys.ingest.source import Chunk, Source

_COLUMNS = ("user_id", "listened_at", "track_id", "title", "artist")
_BEFORE = ("Watched ", "Has visto ", "Vous avez regardé ", "Hai guardato ", "Assistiu a ")
_AFTER = (" angesehen", " bekeken")
_CHANNEL = " - Topic"
_HOST = "music.youtube.com"


def recognises(source: Source) -> bool:
    """Return whether the first record is an entry of a watch history."""
    return {"header", "title", "time", "products"} <= first_record(source).keys()


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:  # noqa: ARG001 - the signature of every format
    """Read the entries of YouTube Music as listens, tracks and artists; `table` is ignored."""
    for found in records(source, dict[str, Any]):
        entries = [(line, entry) for line, entry in zip(found.lines, found.values, strict=True) if _is_music(entry)]
        rows = (_row(entry, source.account) for _, entry in entries)
        yield from names.listens(frame((line for line, _ in entries), rows, _COLUMNS), found.malformed)


def _is_music(entry: dict[str, Any]) -> bool:
    return entry.get("header") == "YouTube Music" or _address(entry).startswith(f"https://{_HOST}/")


def _address(entry: dict[str, Any]) -> str:
    address = entry.get("titleUrl")
    return address if isinstance(address, str) else ""


def _row(entry: dict[str, Any], account: str) -> tuple[Scalar, ...]:
    video, time = _video(_address(entry)), entry.get("time")
    track_id = f"youtube:{video}" if video else None
    return account, time if isinstance(time, str) else None, track_id, _title(entry.get("title")), _artist(entry)


def _video(address: str) -> str | None:
    try:
        return parse_qs(urlsplit(address).query).get("v", [None])[0]
    except ValueError:
        return None


def _title(title: object) -> str | None:
    if not isinstance(title, str):
        return None
    before = next((words for words in _BEFORE if title.startswith(words)), "")
    after = next((words for words in _AFTER if title.endswith(words)), "")
    return title.removeprefix(before) if before else title.removesuffix(after)


def _artist(entry: dict[str, Any]) -> str | None:
    channels = entry.get("subtitles")
    first = channels[0] if isinstance(channels, list) and channels else None
    name = first.get("name") if isinstance(first, dict) else None
    return name.removesuffix(_CHANNEL) if isinstance(name, str) else None
