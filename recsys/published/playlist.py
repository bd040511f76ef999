"""Results as a playlist in XSPF, which players resolve by title, creator and ISRC."""

from xml.etree import ElementTree as ET

import polars as pl

from recsys.reports.wording import without_controls

NAMESPACE = "http://xspf.org/ns/0/"


def xspf(title: str, rows: pl.DataFrame) -> bytes:
    """
    Return a playlist of tracks in their order.

    Args:
        title: Title of the playlist.
        rows: title, artist_name, isrc and duration_ms of the tracks; each may be null.

    Source:
        XSPF version 1, xspf.org.
    """
    playlist = ET.Element("playlist", {"version": "1", "xmlns": NAMESPACE})
    _add(playlist, "title", title)
    tracks = ET.SubElement(playlist, "trackList")
    for row in rows.iter_rows(named=True):
        track = ET.SubElement(tracks, "track")
        _add(track, "identifier", row["isrc"] and f"isrc:{row['isrc']}")
        _add(track, "title", row["title"])
        _add(track, "creator", row["artist_name"])
        _add(track, "duration", row["duration_ms"])
    return bytes(ET.tostring(playlist, encoding="utf-8", xml_declaration=True))


def _add(parent: ET.Element, name: str, value: object) -> None:
    if value is not None:
        ET.SubElement(parent, name).text = without_controls(str(value))
