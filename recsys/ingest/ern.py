"""
A DDEX Electronic Release Notification (ERN 4, NewReleaseMessage) as rows of tracks, artists, labels and licences.

Recordings, releases and parties refer to each other by references of the message; deals come last and refer to
releases. So what is kept of each is a few values, and the rows are made when the message has ended. The licence of a
recording is what its sender states of it: a later message of the sender replaces it as a whole, also by nothing.

Source: DDEX, Electronic Release Notification Message Suite Standard 4.1 to 4.3.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar
from xml.etree.ElementTree import Element

from recsys.ingest.ern_deals import Term, Values, n_rows_of, permissions, rows_of, terms_of_deal
from recsys.ingest.xml_records import Record, text_of, texts_of
from recsys.lake.codes import normal_isrc

RECORDS = frozenset({"MessageHeader", "Party", "SoundRecording", "Release", "TrackRelease", "ReleaseDeal"})
MAX_RECORDS = 200_000  # parties, recordings and releases of a message
MAX_ROWS = 20_000_000  # of licences: by recording, term, use and territory
_DURATION = re.compile(r"PT(?:(\d{1,3})H)?(?:(\d{1,5})M)?(?:(\d{1,6}(?:\.\d{1,6})?)S)?")
_T = TypeVar("_T")
_EXPLICIT = {"Explicit": "true", "NotExplicit": "false", "ExplicitContentEdited": "false"}


class BadMessage(ValueError):  # noqa: N818 - reads as the sentence it prints
    """The message cannot be read as a whole; the text says why."""


@dataclass(frozen=True)
class _Release:
    is_main: bool
    recordings: tuple[str, ...]
    values: Values


@dataclass
class ErnMessage:
    """What was read of a message so far; `malformed` has the lines of records that lack what they need."""

    malformed: list[int] = field(default_factory=list)
    _header: Values = field(default_factory=dict)
    _parties: dict[str, Values] = field(default_factory=dict)
    _recordings: dict[str, tuple[int, Values]] = field(default_factory=dict)
    _releases: dict[str, _Release] = field(default_factory=dict)
    _terms: dict[str, list[Term]] = field(default_factory=dict)  # by release
    _n_rows: int = 0  # of licences

    def take(self, record: Record) -> None:
        """
        Add a record.

        Raises:
            BadMessage: It is a test message, or has more records than are read.
        """
        if not _READERS[record.element.tag](self, record.line, record.element):
            self.malformed.append(record.line)
        n_records = len(self._parties) + len(self._recordings) + len(self._releases) + len(self._terms)
        if n_records > MAX_RECORDS or self._n_rows > MAX_ROWS:
            raise BadMessage(f"it has more than {MAX_RECORDS:,} records or {MAX_ROWS:,} licences. Get it in parts")

    def tracks(self) -> Iterator[tuple[int, Values]]:
        """
        Yield line and values of each recording: columns of tracks, and artist, isni, ipi and label.

        Raises:
            BadMessage: The message does not state its sender and time.
        """
        self._require_header()
        releases, terms = self._releases_of(), self._terms_of()
        for reference, (line, own) in self._recordings.items():
            party = self._parties.get(own["artist_party"] or "", {})
            described: Values = {}
            for release in releases.get(reference, []):
                described |= {name: value for name, value in release.values.items() if value and name not in described}
            label = self._parties.get(described.pop("label_party", None) or "", {}).get("name")
            artist = {"artist": party.get("name") or own["artist"], "isni": party.get("isni"), "ipi": party.get("ipi")}
            permitted = permissions(terms.get(reference, []), self._sent_on)
            yield line, own | described | artist | {"track_id": self._id(own), "label": label} | permitted

    def licences(self) -> Iterator[tuple[int, Values]]:
        """Yield line and values of each row of licences; a recording that nothing permits has one that says so."""
        terms = self._terms_of()
        for reference, (line, own) in self._recordings.items():
            licence: Values = {
                "source": self._source,
                "licence_id": self._id(own),
                "registered_at": self._header["created_at"],
                "track_id": None if normal_isrc(own["isrc"]) else self._id(own),
                "isrc": normal_isrc(own["isrc"]),
            }
            rows = [(term.line, row) for n, term in enumerate(terms.get(reference, [])) for row in rows_of(n, term)]
            nothing: Values = {"term_no": "0", "use_type": "stream", "is_granted": "false"}
            for term_line, row in rows or [(line, nothing)]:
                yield term_line, licence | row

    def _require_header(self) -> None:
        if not self._header.get("sender") or not self._header.get("created_at"):
            raise BadMessage("it does not state its sender (MessageSender) and time (MessageCreatedDateTime)")

    @property
    def _source(self) -> str:
        return f"ern:{self._header['sender']}"

    @property
    def _sent_on(self) -> str:
        return str(self._header["created_at"])[:10]

    def _id(self, recording: Values) -> str | None:
        """Return the ISRC, else the sender's own number of a recording; None without either, which is refused."""
        own = recording["proprietary_id"]
        return normal_isrc(recording["isrc"]) or (f"{self._source}/{own}" if own else None)

    def _releases_of(self) -> dict[str, list[_Release]]:
        """Return the releases of each recording, that of the recording alone first: it has the nearest facts."""
        found: dict[str, list[_Release]] = {}
        for release in sorted(self._releases.values(), key=lambda release: release.is_main):
            for reference in release.recordings:
                found.setdefault(reference, []).append(release)
        return found

    def _terms_of(self) -> dict[str, list[Term]]:
        """Return the terms of each recording, through all of its releases."""
        found: dict[str, list[Term]] = {}
        for release, terms in self._terms.items():
            for reference in self._releases[release].recordings:
                found.setdefault(reference, []).extend(terms)
        return found

    def header(self, _line: int, element: Element) -> bool:
        """Read who sent the message, and when."""
        if text_of(element, "MessageControlType") == "TestMessage":
            raise BadMessage("it is a test message (MessageControlType). Get the live one")
        sender = element.find("MessageSender")
        if sender is not None:
            self._header["sender"] = text_of(sender, "PartyId") or text_of(sender, "PartyName/FullName")
        self._header["created_at"] = text_of(element, "MessageCreatedDateTime")
        return True

    def party(self, _line: int, element: Element) -> bool:
        """Read a person or company: its name and codes."""
        values = {
            "name": text_of(element, "PartyName/FullName"),
            "isni": text_of(element, "PartyId/ISNI"),
            "ipi": text_of(element, "PartyId/IpiNameNumber"),
        }
        return _add(self._parties, text_of(element, "PartyReference"), values)

    def recording(self, line: int, element: Element) -> bool:
        """Read a recording."""
        edition = element.find("SoundRecordingEdition")
        ids = [element, *([edition] if edition is not None else [])]
        language = text_of(element, "LanguageOfPerformance")
        values = {
            "isrc": next((code for part in ids if (code := text_of(part, "ResourceId/ISRC"))), None),
            "proprietary_id": next((code for part in ids if (code := text_of(part, "ResourceId/ProprietaryId"))), None),
            "iswc": text_of(element, ".//ISWC"),
            "title": _default_text(element, "DisplayTitleText") or _default_text(element, "DisplayTitle/TitleText"),
            "artist": _default_text(element, "DisplayArtistName"),
            "artist_party": _main_artist(element),
            "duration_ms": _milliseconds(text_of(element, "Duration")),
            "language": language.partition("-")[0].lower() if language else None,
            "explicit": _EXPLICIT.get(text_of(element, "ParentalWarningType") or ""),
        }
        return _add(self._recordings, text_of(element, "ResourceReference"), (line, values))

    def release(self, _line: int, element: Element) -> bool:
        """Read a release, or the release of a single recording."""
        is_main = element.tag == "Release"
        day = _default_text(element, "OriginalReleaseDate") or _default_text(element, "ReleaseDate")
        title = _default_text(element, "DisplayTitleText") or _default_text(element, "DisplayTitle/TitleText")
        genres = dict.fromkeys(text.replace("|", " ").strip() for text in texts_of(element, "Genre/GenreText"))
        values = {
            "release_title": title if is_main else None,
            "release_date": day,
            "label_party": _default_text(element, "ReleaseLabelReference"),
            "genres": "|".join(genres) or None,
        }
        recordings = tuple(dict.fromkeys(texts_of(element, ".//ReleaseResourceReference")))
        return _add(self._releases, text_of(element, "ReleaseReference"), _Release(is_main, recordings, values))

    def deals(self, line: int, element: Element) -> bool:
        """Read the deals of releases; those for orders before the release permit nothing."""
        releases = texts_of(element, "DealReleaseReference")
        terms = [
            term
            for found in element.iterfind("Deal/DealTerms")
            if text_of(found, "IsPreOrderDeal") != "true"
            for term in terms_of_deal(line, found)
        ]
        known = [release for release in releases if release in self._releases]
        for release in known:
            self._n_rows += sum(map(n_rows_of, terms)) * max(1, len(self._releases[release].recordings))
            self._terms.setdefault(release, []).extend(terms)
        return 0 < len(releases) == len(known)


_READERS = {
    "MessageHeader": ErnMessage.header,
    "Party": ErnMessage.party,
    "SoundRecording": ErnMessage.recording,
    "Release": ErnMessage.release,
    "TrackRelease": ErnMessage.release,
    "ReleaseDeal": ErnMessage.deals,
}


def _add(known: dict[str, _T], reference: str | None, record: _T) -> bool:
    """Add a record by its reference; returns whether it has one that no other has."""
    is_new = reference is not None and reference not in known
    if reference is not None:
        known.setdefault(reference, record)
    return is_new


def _main_artist(element: Element) -> str | None:
    """Return the party that is displayed first as a main artist, else first."""
    shown = sorted(element.findall("DisplayArtist"), key=lambda artist: artist.get("SequenceNumber", "").zfill(9))
    main = [artist for artist in shown if "MainArtist" in texts_of(artist, "DisplayArtistRole")]
    return next((text_of(artist, "ArtistPartyReference") for artist in main or shown), None)


def _default_text(element: Element, path: str) -> str | None:
    """Return the text that holds where no territory has its own."""
    parent, _, child = path.rpartition("/")
    holders = element.findall(parent or child)
    general = [holder for holder in holders if holder.get("IsDefault") == "true"]
    general = general or [holder for holder in holders if holder.get("ApplicableTerritoryCode") is None] or holders
    found = general[0] if general else None
    return None if found is None else text_of(found, child if parent else ".")


def _milliseconds(text: str | None) -> str | None:
    """Return a duration such as PT3M30.5S in milliseconds; another text as it is, for the contract."""
    found = _DURATION.fullmatch(text or "")
    if not found:
        return text
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return str(round((hours * 3600 + minutes * 60 + seconds) * 1000)) if any(found.groups()) else None
