"""Results of a search as a playlist."""

from xml.etree import ElementTree as ET

import polars as pl

from recsys.published.playlist import NAMESPACE, xspf


def test_a_playlist_is_read_back() -> None:
    """Titles with markup and control characters, and missing values."""
    rows = pl.DataFrame(
        {
            "title": ["A & <B>\x07", "C"],
            "artist_name": ["Zoë", None],
            "isrc": ["QZABC2600001", None],
            "duration_ms": [61_000, None],
        }
    )

    playlist = ET.fromstring(xspf("calm, <slow>", rows))  # noqa: S314 - our own file

    tag = f"{{{NAMESPACE}}}"
    assert playlist.findtext(f"{tag}title") == "calm, <slow>"
    tracks = [{child.tag.removeprefix(tag): child.text for child in track} for track in playlist.iter(f"{tag}track")]
    assert tracks == [
        {
            "identifier": "isrc:QZABC2600001",
            "title": "A & <B>\N{REPLACEMENT CHARACTER}",
            "creator": "Zoë",
            "duration": "61000",
        },
        {"title": "C"},
    ]
