"""Audio data that is delivered under track ids and ISRCs."""

from pathlib import Path

import pytest

from .conftest import TRACKS, Place, rows

TAGS = "track_id,tagger,tag,kind,confidence,probability\n"


def built(place: Place, *tables: str) -> Path:
    """Build some marts."""
    return place.build("audio", only={f"marts.{table}" for table in tables})


@pytest.fixture
def catalogue(place: Place) -> Place:
    """Return a home with three tracks that have ISRCs."""
    place.take("tracks.csv", TRACKS)
    return place


def test_delivered_probabilities_under_isrcs(catalogue: Place) -> None:
    """They belong to the recording as other tags do, whatever the tagger is called."""
    catalogue.take(
        "audio_tags.csv",
        f"{TAGS}USRC17600001,theirs,calm,mood,0.9,0.8\nUSRC17600002,own-mood,sad,mood,0.7,0.7\nfile,theirs,sad,mood,0.6,0.6\n",
    )

    found = rows(
        built(catalogue, "track_tags"), "select track_id, tagger, tag, probability from marts.track_tags order by all"
    )

    assert found == [("file", "theirs", "sad", 0.6), ("t1", "theirs", "calm", 0.8), ("t2", "own-mood", "sad", 0.7)]


def test_a_recording_with_two_names_has_one_row_per_tag(catalogue: Place) -> None:
    """A tagger's tags under the track id count, also with another tagger's under the ISRC; no row is repeated."""
    catalogue.take(
        "audio_tags.csv",
        f"{TAGS}USRC17600001,ours,calm,mood,0.9,0.8\nUSRC17600001,ours,sad,mood,0.5,0.5\nt1,ours,calm,mood,0.4,0.3\n"
        "USRC17600001,theirs,calm,mood,0.6,\n",
    )

    found = rows(
        built(catalogue, "track_tags"), "select track_id, tagger, tag, confidence from marts.track_tags order by all"
    )

    assert found == [("t1", "ours", "calm", 0.4), ("t1", "theirs", "calm", 0.6)]


def test_tags_under_a_track_id_do_not_displace_sound_under_the_isrc(catalogue: Place) -> None:
    """Learned tags name the track id; the features of the file named by the ISRC stay."""
    catalogue.take(
        "audio_features.csv",
        "track_id,duration_ms,tempo_bpm\nUSRC17600001,1000,120\nUSRC17600002,1000,90\nt2,1000,91\n",
    )
    catalogue.take("audio_tags.csv", f"{TAGS}t1,own-mood,calm,mood,0.9,0.9\nUSRC17600001,theirs,calm,mood,0.5,\n")

    warehouse = built(catalogue, "track_tags", "track_audio")

    assert rows(warehouse, "select track_id, tempo_bpm from marts.track_audio order by all") == [
        ("t1", 120),
        ("t2", 91),
    ]
    assert rows(warehouse, "select track_id, tagger from marts.track_tags order by all") == [
        ("t1", "own-mood"),
        ("t1", "theirs"),
    ]


def test_the_mood_of_a_recording_is_one_that_it_probably_has(catalogue: Place) -> None:
    """An improbable calibrated mood is none; a probable one comes before a confidence that is no probability."""
    catalogue.take(
        "audio_tags.csv",
        f"{TAGS}t1,own-mood,sad,mood,0.06,0.06\nt2,own-mood,sad,mood,0.6,0.6\nt2,theirs,calm,mood,0.9,\n"
        "t3,own-mood,sad,mood,0.4,0.4\nt3,theirs,calm,mood,0.1,\n",
    )
    listens = "".join(f"ann,t{track},2026-01-05T1{track}:00:00Z,200000\n" for track in (1, 2, 3))
    catalogue.take("listens.csv", f"user_id,track_id,listened_at,ms_played\n{listens}")

    found = rows(
        built(catalogue, "genre_weekly"),
        "select name, n_plays from marts.genre_weekly where kind = 'mood' order by name",
    )

    assert found == [("calm", 1), ("sad", 1)]
