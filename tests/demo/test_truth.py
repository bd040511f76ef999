"""The truth file agrees with the raw files, which are checked without the simulator."""

import csv
import gzip
import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from scipy import sparse

from recsys.demo import World, WorldSummary, write_world
from recsys.demo.breakout_truth import breakout_days, weekly_listeners
from recsys.demo.invalid_rows import BROKEN_JSON, DUPLICATE, FAULTS, FUTURE, FUTURE_S, TOO_MANY_FIELDS, Fault

AS_OF = date(2026, 6, 30)
FIRST = AS_OF - timedelta(days=119)
MALFORMED = (TOO_MANY_FIELDS, BROKEN_JSON)
Record = dict[str, Any] | list[str] | None  # None: broken JSON; a list: too many fields


@dataclass(frozen=True)
class Opened:
    """A written world read back from its files: the log with local days, the tracks, and the truth."""

    summary: WorldSummary
    log: pl.DataFrame
    tracks: dict[str, dict[str, Any]]
    truth: list[dict[str, Any]]

    def truths(self, kind: str, why: str = "") -> list[dict[str, Any]]:
        """Return the truths of a kind, for decoys those of a cause."""
        return [truth for truth in self.truth if truth["kind"] == kind and truth["details"].get("why", "") == why]

    def file(self, name: str) -> Path:
        """Return the path of a raw file."""
        return next(path for path in self.summary.files if path.name == name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Write one world of full size without audio, and open its files."""
    summary = write_world(
        tmp_path_factory.mktemp("world"), World(as_of=AS_OF, n_tracks_with_audio=0, n_tracks_with_lyrics=0)
    )
    logs = [_log(path) for path in summary.files if path.name.startswith("listens")]
    tracks = [row for row in _records(summary.truth.parent / "raw" / "tracks.jsonl.gz") if isinstance(row, dict)]
    return Opened(
        summary=summary,
        log=pl.concat(logs).unique(),
        tracks={row["track_id"]: row for row in tracks if not _is_faulty("tracks", row)},
        truth=[json.loads(line) for line in summary.truth.read_text().splitlines()],
    )


def _text(path: Path) -> str:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zst":
        return str(pa.input_stream(path, compression="zstd").read(), "utf-8")
    return path.read_text()


def _records(path: Path) -> Iterator[Record]:
    if path.suffix == ".parquet":
        yield from pl.read_parquet(path).iter_rows(named=True)
    elif ".csv" in path.suffixes:
        rows = csv.reader(io.StringIO(_text(path)))
        names = next(rows)
        yield from (dict(zip(names, row, strict=True)) if len(row) == len(names) else row for row in rows)
    else:
        yield from (_json(line) for line in _text(path).splitlines())


def _json(line: str) -> Record:
    try:
        record: dict[str, Any] = json.loads(line)
    except json.JSONDecodeError:
        return None
    return record


def _written(fault: Fault) -> set[object]:
    """Return the faulty value in all forms in which a file may contain it."""
    if fault.value is None:
        return {None, ""}
    return {FUTURE, FUTURE_S, str(FUTURE_S)} if fault.value == FUTURE else {fault.value, str(fault.value)}


def _is_faulty(table: str, record: dict[str, Any]) -> bool:
    return any(record[fault.column] in _written(fault) for fault in FAULTS[table])


def _log(path: Path) -> pl.DataFrame:
    """Return the valid rows of a log with the listener's local day as a number."""
    raw = pl.read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)
    texts = raw.select(
        pl.col("user_id", "track_id", "listened_at", "ms_played", "skipped", "utc_offset_min").cast(pl.String)
    )
    at_s = pl.coalesce(
        pl.col("listened_at").cast(pl.Int64, strict=False),
        pl.col("listened_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", strict=False).dt.epoch("s"),
    )
    offset = pl.col("utc_offset_min").cast(pl.Int64, strict=False)
    first_s = (FIRST - date(1970, 1, 1)).days * 86_400
    return (
        texts.select(
            "user_id",
            "track_id",
            (at_s - first_s).alias("at_s"),
            ((at_s + 60 * offset.fill_null(0) - first_s) // 86_400).alias("day"),
            pl.col("ms_played").cast(pl.Int64, strict=False),
            (pl.col("skipped") == "true").alias("skipped"),
            (pl.col("ms_played").is_null() | (pl.col("ms_played").cast(pl.Int64, strict=False) > 0)).alias("ok"),
            offset.is_null().or_(offset.abs() < 1_000).alias("clock_ok"),
        )
        .filter("ok", "clock_ok", pl.col("day") < 120)
        .drop_nulls(["user_id", "track_id", "at_s"])
        .drop("ok", "clock_ok")
    )


def _read_csv(path: Path) -> pl.DataFrame:
    return pl.read_csv(_text(path).encode(), infer_schema=False, truncate_ragged_lines=True)


def _day(truth: dict[str, Any]) -> int:
    return (date.fromisoformat(truth["date"]) - FIRST).days


def _weekly(log: pl.DataFrame, track_id: str, last_day: int) -> int:
    """Count the distinct listeners of a track on a day and the six days before."""
    week = log.filter(pl.col("track_id") == track_id, pl.col("day").is_between(last_day - 6, last_day))
    return week["user_id"].n_unique()


def test_every_breakout_is_in_the_listens(world: Opened) -> None:
    """At least eight tracks triple within 14 days from 20 weekly listeners, and keep at least twice as many."""
    breakouts = world.truths("breakout")

    assert len(breakouts) >= 8
    for truth in breakouts:
        base, after = (
            _weekly(world.log, truth["id"], _day(truth) - 1),
            _weekly(world.log, truth["id"], _day(truth) + 13),
        )
        assert base >= 20
        assert after >= 3 * base
        assert truth["details"]["base_weekly_listeners"] == base
        assert _weekly(world.log, truth["id"], 119) >= 2 * base


def test_breakouts_hold_among_plays_alone(world: Opened) -> None:
    """Without skips, the same tracks break out."""
    plays = world.log.filter(pl.col("ms_played").is_null() | (pl.col("ms_played") >= 30_000))

    for truth in world.truths("breakout"):
        base = _weekly(plays, truth["id"], _day(truth) - 1)
        assert base >= 20
        assert _weekly(plays, truth["id"], _day(truth) + 13) >= 3 * base


def test_breakouts_have_two_weeks_after_them_and_different_first_days(world: Opened) -> None:
    """No breakout begins in the last 14 days, and at least eight first days differ."""
    days = sorted(_day(truth) for truth in world.truths("breakout"))

    assert days[-1] <= 119 - 14
    assert days[0] >= 14
    assert len(set(days)) >= 8


def test_there_are_as_many_decoys_as_breakouts(world: Opened) -> None:
    """Loops, release spikes and market days together are at least as many."""
    assert sum(truth["kind"] == "decoy" for truth in world.truth) >= len(world.truths("breakout"))


def test_a_loop_is_many_listens_of_one_listener(world: Opened) -> None:
    """The listens of a looped track rise, its listeners do not."""
    for truth in world.truths("decoy", "loop"):
        during = world.log.filter(
            pl.col("track_id") == truth["id"], pl.col("day").is_between(_day(truth), _day(truth) + 8)
        )
        of_one = during.filter(pl.col("user_id") == truth["details"]["user_id"]).height
        assert of_one >= 50
        assert of_one > during.height / 2
        assert during["user_id"].n_unique() < 60


def test_a_release_spike_comes_from_zero_and_passes(world: Opened) -> None:
    """The track has no listeners before its release, many in the first week, few in the third."""
    for truth in world.truths("decoy", "release_spike"):
        heard = [_weekly(world.log, truth["id"], _day(truth) + after) for after in (-1, 6, 20)]
        assert heard[0] == 0
        assert heard[1] >= 60
        assert heard[2] < heard[1] / 2
        assert world.tracks[truth["id"]]["release_date"] == truth["date"]


def test_all_plays_rise_on_a_market_day(world: Opened) -> None:
    """The day has at least twice the listens of the same weekday one week before and after."""
    listens = Counter(world.log["day"].to_list())

    for truth in world.truths("decoy", "market_day"):
        day = _day(truth)
        assert listens[day] >= 2 * max(listens[day - 7], listens[day + 7])


def test_every_breakout_in_the_listens_is_in_the_truth(world: Opened) -> None:
    """Tracks that meet the definition of a breakout are planted or listed as unplanned; no decoy meets it."""
    coded = world.log.with_columns((pl.col("track_id", "user_id").rank("dense").cast(pl.Int64) - 1).name.suffix("_row"))
    ids = dict(coded.select("track_id_row", "track_id").unique().iter_rows())
    weekly = weekly_listeners(
        coded["track_id_row"].to_numpy(),
        coded["user_id_row"].to_numpy(),
        coded["day"].to_numpy(),
        n_tracks=max(ids) + 1,
        n_days=120,
    )

    risen = {ids[int(row)] for row in np.flatnonzero(breakout_days(weekly, 20).any(axis=1))}

    assert risen == {truth["id"] for kind in ("breakout", "unplanned_rise") for truth in world.truths(kind)}
    assert risen.isdisjoint(truth["id"] for truth in world.truth if truth["kind"] == "decoy")


def test_duplicates_are_the_same_recording_twice(world: Opened) -> None:
    """The two tracks share the ISRC, or title, artist and duration; both are played."""
    heard = Counter(world.log["track_id"].to_list())
    duplicates = world.truths("duplicate")

    assert {truth["details"]["same"] for truth in duplicates} == {"isrc", "title, artist, duration"}
    for truth in duplicates:
        one, two = world.tracks[truth["id"]], world.tracks[truth["details"]["of"]]
        columns = ["isrc"] if truth["details"]["same"] == "isrc" else ["title", "artist_id", "duration_ms"]
        assert [one[name] for name in columns] == [two[name] for name in columns]
        assert min(heard[truth["id"]], heard[truth["details"]["of"]]) > 0


def test_there_are_no_duplicates_besides_the_planted_ones(world: Opened) -> None:
    """ISRCs, and titles with artist and duration, repeat only where planted."""
    n_planted = len(world.truths("duplicate"))
    codes = Counter(row["isrc"] for row in world.tracks.values() if row["isrc"])
    names = Counter((row["title"], row["artist_id"], row["duration_ms"]) for row in world.tracks.values())

    assert sum(n - 1 for n in [*codes.values(), *names.values()]) == n_planted


@pytest.mark.parametrize("column", ["release_date", "duration_ms", "isrc", "label_id"])
def test_wrong_metadata_is_written(world: Opened, column: str) -> None:
    """The file holds the wrong value, not the right one."""
    truths = world.truths(f"wrong_{column}")

    assert truths
    for truth in truths:
        assert world.tracks[truth["id"]][column] == truth["details"]["written"] != truth["details"]["right"]


def test_a_malformed_isrc_has_a_right_one_and_is_no_duplicate(world: Opened) -> None:
    """Each malformed ISRC replaces a well-formed one, and all are distinct."""
    isrcs = [truth["details"] for truth in world.truths("wrong_isrc")]

    assert all(isrc["right"] for isrc in isrcs)
    assert len({isrc["written"] for isrc in isrcs}) == len(isrcs)


def test_only_tracks_with_a_wrong_date_are_played_before_their_release(world: Opened) -> None:
    """Other tracks are released by the local and the UTC day of their first listen."""
    out = {track: (date.fromisoformat(row["release_date"]) - FIRST).days for track, row in world.tracks.items()}
    earliest = world.log.group_by("track_id").agg(pl.min_horizontal("day", pl.col("at_s") // 86_400).min().alias("day"))

    early = {track for track, day in earliest.iter_rows() if day < out.get(track, -999)}

    assert early == {truth["id"] for truth in world.truths("wrong_release_date")}


def test_nothing_is_later_than_the_last_day(world: Opened) -> None:
    """No listen, event or playlist add is after `as_of` in UTC, except in invalid rows."""
    ends = f"{AS_OF}T23:59:59Z"
    instants = {"events.jsonl.zst": "event_at", "playlists.csv.gz": "added_at"}

    assert world.log["at_s"].max() < 120 * 86_400  # type: ignore[operator]
    for name, column in instants.items():
        found = [record[column] for record in _records(world.file(name)) if isinstance(record, dict)]
        assert {instant for instant in found if instant > ends} <= {FUTURE}


def test_no_track_is_played_from_its_withdrawal_on(world: Opened) -> None:
    """Some tracks are withdrawn within the period, and have no listens afterwards."""
    gone = {
        k: (date.fromisoformat(v["withdrawn_at"]) - FIRST).days for k, v in world.tracks.items() if v["withdrawn_at"]
    }
    latest = dict(world.log.group_by("track_id").agg(pl.col("day").max()).iter_rows())

    assert any(day > 0 for day in gone.values())
    assert all(latest.get(track, -999) < day for track, day in gone.items())


def test_stubs_are_referenced_and_not_described(world: Opened) -> None:
    """Stub tracks have listens and stub artists have tracks, but their tables lack them."""
    artists = {row["artist_id"] for row in _records(world.file("artists.csv")) if isinstance(row, dict)}
    heard = set(world.log["track_id"].to_list())

    for truth in world.truths("stub_track"):
        assert truth["id"] in heard
        assert truth["id"] not in world.tracks
    for truth in world.truths("stub_artist"):
        assert truth["id"] not in artists
        assert any(track["artist_id"] == truth["id"] for track in world.tracks.values())


def test_the_invalid_rows_of_every_file_agree_with_the_truth(world: Opened) -> None:
    """Malformed rows, repeated rows and rows with each fault are counted in the files; rights have none."""
    with_faults = [path for path in world.summary.files if not path.name.startswith(("work", "licences"))]
    for path in with_faults:
        details = [truth["details"] for truth in world.truths("dirt") if truth["id"] == path.name]
        by_fault = {detail["fault"]: detail for detail in details}
        records = list(_records(path))
        whole = [record for record in records if isinstance(record, dict)]
        faults = [
            fault
            for fault in FAULTS[by_fault[DUPLICATE]["table"]]
            if fault.value is not None and fault.name in by_fault
        ]

        assert len(records) - len(whole) == sum(by_fault[name]["rows"] for name in MALFORMED if name in by_fault)
        n_repeated = len(whole) - len({str(record) for record in whole})
        assert 0 <= n_repeated - by_fault[DUPLICATE]["rows"] <= 2  # skips within a second may be equal by chance
        for fault in faults:
            values = _written(fault)
            assert sum(record[fault.column] in values for record in whole) == by_fault[fault.name]["rows"]


def test_valid_and_invalid_rows_add_up(world: Opened) -> None:
    """Every line of a file is a valid row of the summary or an invalid row of the truth; audio files have no rows."""
    n_invalid = sum(truth["details"]["rows"] for truth in world.truths("dirt") if truth["details"]["table"] != "audio")

    rows = sum(
        pl.read_parquet(path).height
        if path.suffix == ".parquet"
        else _text(path).count("\n") - (".csv" in path.suffixes)
        for path in world.summary.files
    )

    assert rows == sum(world.summary.rows.values()) + n_invalid


def test_files_have_columns_that_ingest_must_drop(world: Opened) -> None:
    """IP addresses and mail addresses are present."""
    first = {path.name: next(row for row in _records(path) if isinstance(row, dict)) for path in world.summary.files}

    assert "ip_address" in first["listens_2026-03.csv.gz"]
    assert "ip_address" in first["events.jsonl.zst"]
    assert "e_mail" in first["users.jsonl"]


def test_some_listeners_are_absent_from_the_users(world: Opened) -> None:
    """The log contains listeners that are missing in the users file."""
    users = {row["user_id"] for row in _records(world.file("users.jsonl")) if isinstance(row, dict)}

    assert 0.01 < np.mean([user not in users for user in world.log["user_id"].unique()]) < 0.1


def test_plays_have_a_long_tail(world: Opened) -> None:
    """The Gini coefficient of plays over the catalogue is between 0.6 and 0.8."""
    counts = Counter(world.log["track_id"].to_list())
    plays = np.sort([counts[track] for track in world.tracks])
    ranks = np.arange(1, len(plays) + 1)

    gini = ((2 * ranks - len(plays) - 1) * plays).sum() / (len(plays) * plays.sum())

    assert 0.6 <= gini <= 0.8


def test_preferences_can_be_learned(world: Opened) -> None:
    """Item-based neighbours find twice as many new tracks of the last 14 days as popularity does."""
    played = world.log.with_columns(pl.col("track_id", "user_id").rank("dense").cast(pl.Int64) - 1)
    shape = (played["user_id"].n_unique(), played["track_id"].n_unique())
    past, later = (
        sparse.csr_matrix((np.ones(len(part)), (part["user_id"], part["track_id"])), shape=shape).sign()
        for part in (played.filter(pl.col("day") < 106), played.filter(pl.col("day") >= 106, ~pl.col("skipped")))
    )
    popularity = np.asarray(past.sum(axis=0)).ravel()
    scaled = sparse.diags_array(1.0 / np.sqrt(popularity + 5.0))
    some, held_out = past[:400].toarray(), later[:400].toarray()
    neighbours = (past[:400] @ (scaled @ (past.T @ past) @ scaled)).toarray()

    hits = [
        np.take_along_axis(held_out, np.argsort(-(scores - 1e9 * some), axis=1)[:, :10], axis=1).sum()
        for scores in (neighbours, np.tile(popularity, (400, 1)))
    ]

    assert hits[0] > 2 * hits[1] > 0


def test_a_recommender_causes_most_discoveries_and_few_repeats(world: Opened) -> None:
    """About 60 % of discoveries and 20 % of repeats, in files with a source; a rediscovery counts as a repeat here."""
    june = pl.read_csv(world.file("listens_2026-06.csv.gz"), infer_schema=False, truncate_ragged_lines=True)
    known = june.filter(pl.col("source").is_in(["active", "algorithmic"])).sort("listened_at")
    pair = ["user_id", "track_id"]
    before = world.log.filter(pl.col("day") < (date(2026, 6, 1) - FIRST).days).select(pair).unique()
    repeats = known.join(before, on=pair, how="semi")
    discoveries = known.join(before, on=pair, how="anti").unique(pair, keep="first", maintain_order=True)

    of_discoveries, of_repeats = (
        (rows["source"] == "algorithmic").sum() / rows.height for rows in (discoveries, repeats)
    )

    assert of_discoveries == pytest.approx(0.6, abs=0.03)
    assert 0.2 < of_repeats < 0.35
    with gzip.open(world.file("listens_2026-03.csv.gz"), "rt") as march:
        assert "source" not in march.readline()
