"""Reference data that others publish, and counts of other channels."""

from datetime import date

import polars as pl

from .conftest import Inbox

MBID = "89ad4ac3-39f7-470e-963a-56509c546377"
CANONICAL = (
    "id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,"
    "combined_lookup,score\n"
    f"1,1,{MBID},Ada,rel1,Album,rec1,One,adaone,9\n"
    f'2,2,"{MBID},00b1a29d-ad9e-4b64-aed6-281f69f628ae",Ada & Bix,rel1,Album,rec2,Two,x,8\n'
    "3,1,{" + MBID + "},Ada,rel1,,,Three,x,8\n"
)


def test_musicbrainz_canonical_data(inbox: Inbox) -> None:
    """Recordings and artists are fill-only; several artists are one credit; a recording without an id is refused."""
    inbox.take("tracks.csv", "track_id,title,artist_id\nrec1,Delivered,ar1\n")
    inbox.take("canonical_musicbrainz_data.csv", CANONICAL)

    assert inbox.rows("tracks").select("track_id", "title", "artist_id", "release_title").rows() == [
        ("rec1", "Delivered", "ar1", None),
        ("rec2", "Two", "name:ada & bix", "Album"),
    ]
    assert dict(inbox.rows("artists").select("artist_id", "name").rows()) == {
        MBID: "Ada",
        "name:ada & bix": "Ada & Bix",
    }
    assert inbox.refused() == [("missing_value", "track_id", "canonical_musicbrainz_data.csv", 4)]


def test_signals_are_counts_of_a_day(inbox: Inbox) -> None:
    """Of a recording or an artist, by source and metric; a corrected count replaces the old one."""
    header = "day,source,track_id,artist_id,metric,value\n"
    inbox.take(
        "s.csv",
        header + "2026-01-05,radio,t1,,spins,12\n2026-01-05,video,,ar1,views,1.5e3\n2026-01-05,video,,ar1,views,7\n",
    )
    inbox.take("t.csv", header + "2026-01-05,radio,t1,,spins,13\n2026-01-06,live,,ar1,shows,nan\n")

    assert inbox.rows("signals").select("day", "source", "track_id", "artist_id", "metric", "value").rows() == [
        (date(2026, 1, 5), "radio", "t1", None, "spins", 12),
        (date(2026, 1, 5), "video", None, "ar1", "views", 1500),
        (date(2026, 1, 5), "radio", "t1", None, "spins", 13),
    ]
    assert [row[:2] for row in inbox.refused()] == [("conflicting_row", None), ("bad_type", "value")]


def test_files_from_before_a_column_was_added_are_read(inbox: Inbox) -> None:
    """A delivery with the new column is a newer version of its rows; the others have no value in it."""
    inbox.take("t.csv", "track_id,title,artist_id\nt1,One,a1\nt2,Two,a1\n")
    for path in (inbox.home.lake / "tracks").rglob("*.parquet"):
        pl.read_parquet(path, hive_partitioning=False).drop("iswc").write_parquet(path)
    (batch,) = inbox.take("u.csv", "track_id,title,artist_id,iswc\nt1,One,a1,T-034.524.680-1\nt2,Two,a1,\n").batches

    assert (batch.n_accepted, batch.n_duplicate) == (1, 1)
    assert inbox.rows("tracks").select("track_id", "iswc").rows() == [
        ("t1", None),
        ("t2", None),
        ("t1", "T0345246801"),
    ]
