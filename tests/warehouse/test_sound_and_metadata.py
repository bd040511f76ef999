"""What the sound says beside what was delivered: the tempos and voices that the cleaning compares."""

from pathlib import Path

import polars as pl
import pytest

from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

from .conftest import LISTENS, TRACKS, Place

FEATURES = "track_id,tempo_bpm,tempo_confidence,analyser\n"
OWN = "recsys-2-ab x y"
TAGS = "track_id,tagger,tag,kind,confidence,probability\n"


def compared(path: Path, name: str) -> pl.DataFrame:
    """Return the rows of an internal query."""
    with Warehouse.open(path) as warehouse:
        return warehouse.query(internal_sql(name))


TEMPOS = {  # stated, measured, confidence of the measured
    "half": (60, 120, 0.9),
    "double": (240, 120, 0.9),
    "about half": (62.4, 120, 0.9),
    "about double": (230.4, 120, 0.9),
    "more than half": (62.5, 120, 0.9),
    "less than double": (230.3, 120, 0.9),
    "the same": (120, 120, 0.9),
    "two thirds": (80, 120, 0.9),
    "not sure": (60, 120, 0.5),
    "not stated": ("", 120, 0.9),
    "not measured": (60, "", ""),
}


@pytest.mark.parametrize("is_scanned_last", [False, True])
def test_tempos_an_octave_apart(place: Place, is_scanned_last: bool) -> None:
    """About half or double, if the measured tempo is probably right, whichever of them came last."""
    files = {
        "theirs.csv": [f"{name},{stated},,theirs" for name, (stated, _, _) in TEMPOS.items()] + ["stub,60,,theirs"],
        "scan.csv": [f"{name},{measured},{sure},{OWN}" for name, (_, measured, sure) in TEMPOS.items()]
        + [f"stub,120,0.9,{OWN}"],
    }
    place.take("listens.csv", LISTENS)
    place.take("tracks.csv", "track_id,title,artist_id\n" + "".join(f"{name},{name},ar1\n" for name in TEMPOS))
    for name in sorted(files, reverse=is_scanned_last):
        place.take(name, FEATURES + "\n".join(files[name]))

    found = compared(place.build("w", only=["marts.audio_analyses", "marts.track_features"]), "tempos_to_compare")

    names = ("about double", "about half", "double", "half")
    assert found.rows() == [(name, "theirs", *TEMPOS[name]) for name in names]


def test_a_correction_of_the_tempo_ends_the_doubt(place: Place) -> None:
    """The newest row of a source counts; of two sources that are an octave off, the first by name."""
    place.take("tracks.csv", TRACKS)
    place.take("listens.csv", LISTENS)
    place.take("theirs.csv", f"{FEATURES}t1,60,,theirs\nt2,60,,theirs\n")
    place.take("others.csv", f"{FEATURES}t2,240,,others\n")
    place.take("scan.csv", f"{FEATURES}USRC17600001,120,0.9,{OWN}\nt2,120,0.9,{OWN}\n")
    tables = ["marts.audio_analyses", "marts.track_features"]
    before = compared(place.build("before", only=tables), "tempos_to_compare")
    place.take("again.csv", f"{FEATURES}t1,120,,theirs\n")

    after = compared(place.build("after", only=tables), "tempos_to_compare")

    assert before.select("track_id", "source").rows() == [("t1", "theirs"), ("t2", "others")]
    assert after.select("track_id", "source").rows() == [("t2", "others")]


def test_voices_beside_languages(place: Place) -> None:
    """The highest confidence for and against a voice, of vocal tags only; probabilities where a tagger has them."""
    place.take(
        "tracks.csv",
        "track_id,title,artist_id,language\nt1,One,ar1,zxx\nt2,Two,ar1,en\nt3,Three,ar1,\nt4,Four,ar1,de\n",
    )
    place.take("listens.csv", LISTENS)
    place.take(
        "tags.csv",
        f"{TAGS}t1,a,singing,vocal,0.6,\nt1,a,no voice,vocal,0.1,\nt1,b,instrumental,vocal,0.2,\nt1,a,rock,genre,0.9,\n"
        "t2,a,instrumental,vocal,0.5,\nt2,own-vocal,sung,vocal,0.7,0.7\nt3,a,singing,vocal,0.9,\nt4,a,rock,genre,0.9,\n",
    )

    found = compared(place.build("w", only=["marts.track_tags", "marts.track_features"]), "voices_to_compare")

    assert found.rows() == [("t1", "zxx", 0.6, 0.2, None, None), ("t2", "en", 0.7, 0.5, 0.7, None)]


def test_clusters_are_no_words_to_search_for_and_name_no_cluster(place: Place) -> None:
    """Their names are lists of other tags."""
    place.take("tracks.csv", TRACKS)
    place.take("listens.csv", LISTENS)
    place.take("tags.csv", f"{TAGS}t1,a,calm,mood,0.6,\nt1,b,calm,mood,0.7,\nt1,clusters,cluster 01: calm,other,0.9,\n")
    path = place.build("w", only=["marts.track_tags"])

    assert compared(path, "searched_tags").rows() == [("t1", "calm", 0.7)]
    assert compared(path, "tags_of_clusters").rows() == [("t1", "calm", 0.7)]
