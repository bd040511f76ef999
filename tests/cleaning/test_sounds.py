"""The matcher's results are read as pairs that sound the same, by the same artist or by others."""

from datetime import date

import polars as pl
import pytest

from recsys.cleaning.doubts import DOUBTS
from recsys.cleaning.duplicates import Decisions
from recsys.cleaning.findings import find_all, finding_id, wrong_artists
from recsys.cleaning.recordings import recordings
from recsys.cleaning.sounds import by_same_artist, same_sounds
from recsys.columns import schema
from recsys.matching.history import MATCH_CANDIDATES_COLUMNS

from .conftest import ISRC, NO_DECISIONS, sounds, tracks

NO_DOUBTS = pl.DataFrame(schema=DOUBTS)
NO_REVIEW = pl.DataFrame(
    schema={name: pl.String for name in ("kind", "track_id", "other_track_id", "decision")}  # noqa: C420
)
ADA = {"title": "Song", "audio_id": "a1", "audio_ms": 100_000}
BIX = {"title": "Lied", "artist_id": "bix", "artist_name": "Bix", "audio_id": "a2", "audio_ms": 100_000}


def match(**changes: object) -> pl.DataFrame:
    """Return one use: the whole of the file a2 is the file a1."""
    row = {
        "source_kind": "catalogue",
        "source_audio_id": "a2",
        "audio_id": "a1",
        "starts_s": 0.0,
        "ends_s": 100.0,
        "reference_starts_s": 0.0,
        "reference_ends_s": 100.0,
        "tempo_ratio": 1.0,
        "probability": 0.99,
        "is_strict": True,
        "n_places": 1,
        "found_on": date(2026, 7, 1),
    }
    columns = schema(MATCH_CANDIDATES_COLUMNS)
    return pl.DataFrame([dict.fromkeys(columns) | row | changes], columns)


def test_a_match_of_the_whole_is_the_same_sound() -> None:
    """The share is that of the recording of which less is the same."""
    read = recordings(tracks(ADA, BIX))

    assert same_sounds(read, match()).rows() == [("t1", "t2", 1.0, "100 % of the sound is the same")]
    assert same_sounds(read, match(ends_s=80.0))["share"].to_list() == [0.8]
    assert same_sounds(read, match(reference_starts_s=50.0))["share"].to_list() == [0.5]


@pytest.mark.parametrize(
    "changes",
    [
        {"tempo_ratio": 1.05},
        {"tempo_ratio": 0.9},
        {"is_strict": False},
        {"source_kind": "upload"},
        {"audio_id": "gone"},
    ],
)
def test_other_uses_are_no_evidence(changes: dict[str, object]) -> None:
    """Another tempo is another version; a match that is not strict, or of an upload, says nothing on the catalogue."""
    assert same_sounds(recordings(tracks(ADA, BIX)), match(**changes)).is_empty()


def test_one_file_under_two_ids_is_the_same_sound() -> None:
    """Three ids of one file are two pairs, each with the first."""
    read = recordings(tracks(*[ADA] * 3))

    assert same_sounds(read, match().clear()).select("track_id", "other_track_id", "share").rows() == [
        ("t1", "t2", 1.0),
        ("t1", "t3", 1.0),
    ]


def test_the_artist_decides_what_the_same_sound_means() -> None:
    """A duplicate by the same artist needs 90 %, another artist's recording 75 %; a featured artist is the same."""
    read = recordings(tracks({"title": "A"}, {"title": "B"}, BIX, {"title": "C (feat. Bix)"}))
    heard = sounds(("t1", "t2", 0.9), ("t1", "t3", 0.75), ("t2", "t3", 0.74), ("t2", "t4", 0.89), ("t3", "t4", 0.95))

    own, others = by_same_artist(heard, read)

    assert own.select("track_id", "other_track_id").rows() == [("t1", "t2"), ("t3", "t4")]
    assert others.select("track_id", "other_track_id").rows() == [("t1", "t3")]


def test_the_later_recording_without_an_isrc_is_the_doubtful_one() -> None:
    """First the ISRC, then the date, then the id decide."""
    early, late = date(2001, 1, 1), date(2020, 1, 1)
    rows = [({"isrc": ISRC, "release_date": late}, {"release_date": early}, "t2")]
    rows += [({"release_date": late}, {"release_date": early}, "t1"), ({}, {}, "t2")]

    for one, other, doubtful in rows:
        found = wrong_artists(sounds(("t1", "t2", 0.9)), recordings(tracks(ADA | one, BIX | other)), NO_DECISIONS)
        assert found.select("track_id", "score", "status").rows() == [(doubtful, 0.9, "proposed")]


def test_a_decision_on_a_wrong_artist_holds_in_both_directions() -> None:
    """Whichever of the two is the doubtful one today."""
    read = recordings(tracks(ADA, BIX))
    pair = frozenset({("t1", "t2")})

    for decided, status in ((Decisions(rejected=pair), "rejected"), (Decisions(accepted=pair), "accepted")):
        assert wrong_artists(sounds(("t1", "t2", 0.9)), read, decided)["status"].to_list() == [status]


def test_the_review_list_has_both_kinds() -> None:
    """Each finding has an id that follows from its pair, and the decisions of its own kind only."""
    catalogue = tracks(ADA, BIX, ADA | {"audio_id": None})
    decided = pl.DataFrame([("wrong_artist", "t2", "t1", "rejected")], NO_REVIEW.schema, orient="row")

    findings, links = find_all(catalogue, match(), NO_REVIEW, NO_DOUBTS)
    after, _ = find_all(catalogue, match(), decided, NO_DOUBTS)

    assert set(findings.select("kind", "track_id", "other_track_id", "status").rows()) == {
        ("duplicate", "t1", "t3", "linked"),
        ("wrong_artist", "t2", "t1", "proposed"),
    }
    assert links.select("track_id", "same_as").rows() == [("t3", "t1")]
    assert after["finding_id"].to_list() == findings["finding_id"].to_list()
    assert after.filter(kind="wrong_artist")["status"].to_list() == ["rejected"]
    assert finding_id("wrong_artist", "t1", "t2") == finding_id("wrong_artist", "t2", "t1")
    assert finding_id("duplicate", "t1", "t2") != finding_id("wrong_artist", "t1", "t2")


def test_a_catalogue_without_sound_or_rows_has_no_findings() -> None:
    """Nothing in, nothing out."""
    findings, links = find_all(tracks(), match().clear(), NO_REVIEW, NO_DOUBTS)

    assert findings.is_empty()
    assert links.is_empty()
