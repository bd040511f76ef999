"""Candidates for works by code, title and tune: the SQL on recordings that can be counted by hand."""

from datetime import date
from typing import Any

import duckdb

from recsys.installation.paths import SQL_FOLDER

DAY = date(2026, 2, 1)
MADE = (
    *("intermediate.tune_pairs", "marts.tune_candidates"),
    *("intermediate.works_by_tune", "marts.works_by_metadata"),
)
WORK, OTHER = "T0345246801", "pub/17"
UNRECORDED = "pub/18"  # a work of which only the title is registered
NO_LETTERS = "d41d8cd98f00b204e9800998ecf8427e"  # MD5 of nothing: the key of titles of signs alone
RECORDINGS = [  # recording, ISWC, key of its title, day of its takedown
    *[("song", None, "a", None), ("same_title", None, "a", None), ("coded", WORK, "b", None)],
    *[("cover", None, "c", None), ("gone", WORK, "a", DAY), ("other_song", None, "a", None)],
    *[("copy", None, "d", None), ("stranger", None, "e", None)],
    *[("signs", None, NO_LETTERS, None), ("more_signs", None, NO_LETTERS, None), ("unlinked", None, "f", None)],
    *[(f"intro_{n}", None, "intro", None) for n in range(51)],
]
LINKS = [("song", WORK), ("other_song", OTHER), ("signs", WORK), ("intro_0", WORK)]
FOUND = [  # kind, source, work whose notes it is, recording, score, expected strangers
    *[("sound", "cover", None, "song", 0.5, 0.0005), ("sound", "song", None, "copy", 0.9, 0.0)],
    *[("notes", "n1", WORK, "cover", 0.45, 0.005), ("sound", "gone", None, "song", 0.9, 0.0)],
    *[("sound", "stranger", None, "cover", 0.46, 0.004)],
]


def query(table: str) -> str:
    """The SQL of a table."""
    return (SQL_FOLDER / f"{table.replace('.', '/')}.sql").read_text()


def candidates() -> list[dict[str, Any]]:
    """The rows of the mart; the tempo is that of the notes or the searched recording times 1.25, two semitones up."""
    with duckdb.connect() as connection:
        connection.execute("create schema raw; create schema marts; create schema intermediate")
        connection.execute(
            "create table intermediate.claimed_works as "
            "select 'pub' as source, unnest([1, 2, 17, 18]) as work_id, unnest([?, ?, ?, ?]) as work_key",
            [WORK, WORK, OTHER, UNRECORDED],
        )
        connection.execute("create table recordings (track_id text, iswc text, key text, taken_down_at date)")
        connection.executemany("insert into recordings values (?, ?, ?, ?)", RECORDINGS)
        connection.execute(
            "create table marts.track_features as from recordings;"
            "create table marts.track_audio as select track_id, track_id as audio_id from recordings;"
            "create table intermediate.catalogue_names as select 'title' as kind, track_id as id, key from recordings "
            "union all select 'work', 'pub/18', 'f';"
            "create table marts.duplicate_links as select 'copy' as track_id, 'song' as same_as;"
            "create table marts.work_recordings (track_id text, work_key text);"
            "create table raw.tune_candidates (source_kind text, source_id text, source_name text, audio_id text, "
            "score double, expected double, transposition bigint default 2, tempo_ratio double default 1.25, "
            "starts_s double default 1, ends_s double default 11, other_starts_s double default 2, "
            f"other_ends_s double default 10, found_on date default '{DAY}')"
        )
        connection.executemany("insert into marts.work_recordings values (?, ?)", LINKS)
        connection.executemany(
            "insert into raw.tune_candidates (source_kind, source_id, source_name, audio_id, score, expected) "
            "values (?, ?, ?, ?, ?, ?)",
            FOUND,
        )
        for name in MADE:
            connection.execute(f"create table {name} as {query(name)}")
        found = connection.sql(query("marts.work_candidates"))
        return [dict(zip(found.columns, row, strict=True)) for row in found.fetchall()]


def test_recordings_are_proposed_by_code_title_and_tune() -> None:
    """Not those that are linked or taken down; two works have the title, so that it is worth a half.

    Titles of signs alone, and those of very many recordings, propose nothing.
    """
    found = {(row["work_key"], row["track_id"], row["evidence"]): row for row in candidates()}

    assert {key: (row["score"], row["point"], row["other_track_id"]) for key, row in found.items()} == {
        (WORK, "coded", "code"): (1.0, None, None),
        (WORK, "same_title", "title"): (0.5, None, "song"),
        (OTHER, "same_title", "title"): (0.5, None, "other_song"),
        (WORK, "other_song", "title"): (0.5, None, "song"),
        (OTHER, "song", "title"): (0.5, None, "other_song"),
        (UNRECORDED, "unlinked", "title"): (1.0, None, None),
        (WORK, "cover", "tune in sound"): (0.5, "0.1 %", "song"),
        (WORK, "copy", "tune in sound"): (0.9, "0.1 %", "song"),
        (WORK, "cover", "tune in notes"): (0.45, "1 %", None),
    }
    assert [key[1] for key, row in found.items() if row["is_same_audio"]] == ["copy"]


def test_places_key_and_tempo_are_those_of_the_candidate() -> None:
    """The cover searched for the song; the notes and the song searched for the other two."""
    by_track = {(row["track_id"], row["evidence"]): row for row in candidates()}
    columns = ("starts_s", "ends_s", "other_starts_s", "other_ends_s", "transposition", "tempo_ratio")

    cover, copy, noted, coded = (
        tuple(by_track[key][column] for column in columns)
        for key in (
            ("cover", "tune in sound"),
            ("copy", "tune in sound"),
            ("cover", "tune in notes"),
            ("coded", "code"),
        )
    )

    assert cover == (1, 11, 2, 10, -2, 0.8)
    assert copy == noted == (2, 10, 1, 11, 2, 1.25)
    assert coded == (None,) * 6
