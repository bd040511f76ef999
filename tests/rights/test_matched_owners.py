"""Matched audio with different owners: the SQL on recordings that can be counted by hand."""

from datetime import date

import duckdb

from recsys.installation.paths import SQL_FOLDER

FOUND_ON, ENDED, NEVER = date(2026, 2, 1), date(2025, 6, 30), date(9999, 12, 31)
WORKS = [  # recording -> its work
    *[("song", "w_song"), ("copy", "w_copy"), ("cover", "w_song"), ("sampling", "w_sampling"), ("unowned", "w_none")],
    *[("medley", "w_song"), ("medley", "w_copy"), ("sold", "w_sold"), ("doubtful", "w_copy")],
]
OWNERS = [  # work, party, last day
    *[("w_song", "abe", NEVER), ("w_song", "bea", NEVER), ("w_copy", "cyd", NEVER)],
    *[("w_sampling", "abe", NEVER), ("w_sampling", "bea", NEVER), ("w_sampling", "dan", NEVER)],
    *[("w_sold", "eve", ENDED), ("w_sold", "abe", NEVER), ("w_sold", "bea", NEVER)],
]
MATCHES = [  # recording that contains the other, the other, whether the match is strict
    *[("copy", "song", True), ("cover", "song", True), ("sampling", "song", True), ("unowned", "song", True)],
    *[("medley", "song", True), ("doubtful", "song", False), ("song", "sold", True), (None, "song", True)],
]


def test_owners_without_a_share_in_a_recording_with_their_audio_are_found() -> None:
    """Not those of the same work, who are credited, whose term has ended, or whose match is doubtful."""
    shares, query = (
        (SQL_FOLDER / name).read_text() for name in ("intermediate/matched_shares.sql", "marts/matched_owners.sql")
    )
    with duckdb.connect() as connection:
        connection.execute("create schema marts; create schema intermediate")
        connection.execute("create table marts.work_recordings (track_id varchar, work_key varchar)")
        connection.executemany("insert into marts.work_recordings values (?, ?)", WORKS)
        connection.execute(
            "create table marts.work_owners (work_key varchar, party_key varchar, last_day date, "
            "right_type varchar default 'performing', kind varchar default 'ownership', share_bp bigint default 5000)"
        )
        connection.executemany("insert into marts.work_owners (work_key, party_key, last_day) values (?, ?, ?)", OWNERS)
        connection.execute(
            "create table marts.match_candidates (source_track_id varchar, track_id varchar, is_strict boolean, "
            f"relation varchar default 'same', probability double default 0.99, found_on date default '{FOUND_ON}')"
        )
        connection.execute("create table marts.interactions as select 'copy' as track_id, 7 as n_plays")
        connection.executemany(
            "insert into marts.match_candidates (source_track_id, track_id, is_strict) values (?, ?, ?)", MATCHES
        )
        connection.execute(f"create table intermediate.matched_shares as {shares}")
        found = connection.execute(query).fetchall()

    assert found == [("copy", "song", "abe", 2, "same", 0.99, FOUND_ON, 7)]


def test_a_label_is_not_shown_which_recordings_of_others_match() -> None:
    """Of two recordings of one label each names the other; of two labels neither does, and each has its conflict."""
    query = (SQL_FOLDER / "marts" / "recording_conflicts.sql").read_text()
    matched = [("ours", "also_ours"), ("ours", "theirs")]
    columns = "source, right_type, territory, first_day, last_day, party_key, found_bp, other_bp, stated_on"
    nulls = ", ".join(f"null as {name}" for name in columns.split(", "))
    with duckdb.connect() as connection:
        connection.execute(
            "create schema marts; create table marts.matched_owners (source_track_id text, track_id text)"
        )
        connection.executemany("insert into marts.matched_owners values (?, ?)", matched)
        connection.execute(
            "create table marts.conflict_recordings (kind text, subject text, source text, track_id text);"
            "create table marts.rights_conflicts as select 'matched_audio' as kind, source_track_id as subject, "
            f"source_track_id as track_id, track_id as other_track_id, 'part' as evidence, {nulls} "
            "from marts.matched_owners;"
            "create table marts.track_features as select * from (values ('ours', 'a'), ('also_ours', 'a'), "
            "('theirs', 'b')) as tracks (track_id, label_id)"
        )
        found = connection.execute(f"select track_id, subject, other_track_id from ({query}) order by all").fetchall()

    assert found == [
        ("also_ours", "also_ours", "ours"),
        ("ours", "ours", "also_ours"),
        ("ours", "ours", None),
        ("theirs", "theirs", None),
    ]
