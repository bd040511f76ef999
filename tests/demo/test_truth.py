"""What the truth tells, confirmed on the raw files alone, as somebody who knows nothing of the simulator would."""

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
import pytest
import zstandard
from scipy import sparse

from recsys.demo import World, WorldSummary, write_world
from recsys.demo.breakout_truth import rises, weekly_listeners
from recsys.demo.invalid_rows import BROKEN_JSON, DUPLICATE, FAULTS, FUTURE, FUTURE_S, TOO_MANY_FIELDS, Fault

AS_OF = date(2026, 6, 30)
FIRST = AS_OF - timedelta(days=119)
MALFORMED = (TOO_MANY_FIELDS, BROKEN_JSON)
Record = dict[str, Any] | list[str] | None  # None: broken JSON; a list: too many fields


@dataclass(frozen=True)
class Opened:
    """A written world, its files read back: the log with local days, the tracks as written, the truth."""

    summary: WorldSummary
    log: pl.DataFrame
    tracks: dict[str, dict[str, Any]]
    truth: list[dict[str, Any]]

    def told(self, kind: str, why: str = "") -> list[dict[str, Any]]:
        """Return the truths of a kind."""
        return [each for each in self.truth if each["kind"] == kind and each["details"].get("why", "") == why]

    def file(self, name: str) -> Path:
        """Return the path of a raw file."""
        return next(path for path in self.summary.files if path.name == name)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """Write one world of full size, but for its recordings, and open its files."""
    summary = write_world(tmp_path_factory.mktemp("world"), World(as_of=AS_OF, n_sounding=0))
    logs = [_log(path) for path in summary.files if path.name.startswith("listens")]
    tracks = [each for each in _records(summary.truth.parent / "raw" / "tracks.jsonl.gz") if isinstance(each, dict)]
    return Opened(
        summary=summary,
        log=pl.concat(logs).unique(),
        tracks={each["track_id"]: each for each in tracks if not _is_faulty("tracks", each)},
        truth=[json.loads(line) for line in summary.truth.read_text().splitlines()],
    )


def _text(path: Path) -> str:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(path.read_bytes()).read().decode()
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
    """The faulty value in every way that a file may write it."""
    if fault.value is None:
        return {None, ""}
    return {FUTURE, FUTURE_S, str(FUTURE_S)} if fault.value == FUTURE else {fault.value, str(fault.value)}


def _is_faulty(table: str, record: dict[str, Any]) -> bool:
    return any(record[fault.column] in _written(fault) for fault in FAULTS[table])


def _log(path: Path) -> pl.DataFrame:
    """The good rows of a log with the listener's local day as a number."""
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


def _day(told: dict[str, Any]) -> int:
    return (date.fromisoformat(told["date"]) - FIRST).days


def _weekly(log: pl.DataFrame, track_id: str, last_day: int) -> int:
    """Distinct listeners of a track on a day and the six before."""
    week = log.filter(pl.col("track_id") == track_id, pl.col("day").is_between(last_day - 6, last_day))
    return week["user_id"].n_unique()


def test_every_breakout_is_in_the_listens(world: Opened) -> None:
    """At least eight tracks grow threefold within 14 days from 20 weekly listeners, and hold it."""
    told = world.told("breakout")

    assert len(told) >= 8
    for each in told:
        base, after = _weekly(world.log, each["id"], _day(each) - 1), _weekly(world.log, each["id"], _day(each) + 13)
        assert base >= 20
        assert after >= 3 * base
        assert each["details"]["base_weekly_listeners"] == base
        assert _weekly(world.log, each["id"], 119) >= 2 * base


def test_breakouts_hold_among_plays_alone(world: Opened) -> None:
    """A reader who leaves skips out sees the same breakouts."""
    plays = world.log.filter(pl.col("ms_played").is_null() | (pl.col("ms_played") >= 30_000))

    for each in world.told("breakout"):
        base = _weekly(plays, each["id"], _day(each) - 1)
        assert base >= 20
        assert _weekly(plays, each["id"], _day(each) + 13) >= 3 * base


def test_breakouts_are_seen_for_two_weeks_and_spread_over_the_period(world: Opened) -> None:
    """None begins in the last 14 days, and they begin on many different days."""
    days = sorted(_day(each) for each in world.told("breakout"))

    assert days[-1] <= 119 - 14
    assert days[0] >= 14
    assert len(set(days)) >= 8


def test_there_are_as_many_decoys_as_breakouts(world: Opened) -> None:
    """Loops, release spikes and market days together are no fewer."""
    assert sum(each["kind"] == "decoy" for each in world.truth) >= len(world.told("breakout"))


def test_a_loop_is_many_listens_of_one_listener(world: Opened) -> None:
    """The loop's listens rise, its listeners do not."""
    for each in world.told("decoy", "loop"):
        during = world.log.filter(
            pl.col("track_id") == each["id"], pl.col("day").is_between(_day(each), _day(each) + 8)
        )
        of_one = during.filter(pl.col("user_id") == each["details"]["user_id"]).height
        assert of_one >= 50
        assert of_one > during.height / 2
        assert during["user_id"].n_unique() < 60


def test_a_release_spike_comes_from_zero_and_passes(world: Opened) -> None:
    """Nobody hears the track before its release day, many in its first week, few in its fourth."""
    for each in world.told("decoy", "release_spike"):
        heard = [_weekly(world.log, each["id"], _day(each) + after) for after in (-1, 6, 20)]
        assert heard[0] == 0
        assert heard[1] >= 60
        assert heard[2] < heard[1] / 2
        assert world.tracks[each["id"]]["release_date"] == each["date"]


def test_on_a_market_day_everything_rises(world: Opened) -> None:
    """The day has at least twice the listens of the same weekday a week before and after."""
    listens = Counter(world.log["day"].to_list())

    for each in world.told("decoy", "market_day"):
        day = _day(each)
        assert listens[day] >= 2 * max(listens[day - 7], listens[day + 7])


def test_every_rise_in_the_listens_is_told(world: Opened) -> None:
    """What meets the definition of a breakout is planted or told as unplanned; no decoy meets it."""
    coded = world.log.with_columns((pl.col("track_id", "user_id").rank("dense").cast(pl.Int64) - 1).name.suffix("_row"))
    ids = dict(coded.select("track_id_row", "track_id").unique().iter_rows())
    weekly = weekly_listeners(
        coded["track_id_row"].to_numpy(),
        coded["user_id_row"].to_numpy(),
        coded["day"].to_numpy(),
        n_tracks=max(ids) + 1,
        n_days=120,
    )

    risen = {ids[int(row)] for row in np.flatnonzero(rises(weekly, 20).any(axis=1))}

    assert risen == {each["id"] for kind in ("breakout", "unplanned_rise") for each in world.told(kind)}
    assert risen.isdisjoint(each["id"] for each in world.truth if each["kind"] == "decoy")


def test_duplicates_are_the_same_recording_twice(world: Opened) -> None:
    """The two tracks share the ISRC, or title, artist and duration; both are heard."""
    heard = Counter(world.log["track_id"].to_list())
    told = world.told("duplicate")

    assert {each["details"]["same"] for each in told} == {"isrc", "title, artist, duration"}
    for each in told:
        one, two = world.tracks[each["id"]], world.tracks[each["details"]["of"]]
        columns = ["isrc"] if each["details"]["same"] == "isrc" else ["title", "artist_id", "duration_ms"]
        assert [one[name] for name in columns] == [two[name] for name in columns]
        assert min(heard[each["id"]], heard[each["details"]["of"]]) > 0


def test_there_are_no_duplicates_that_are_not_told(world: Opened) -> None:
    """ISRCs, and title with artist and duration, repeat only where it was planted."""
    told = len(world.told("duplicate"))
    codes = Counter(each["isrc"] for each in world.tracks.values() if each["isrc"])
    names = Counter((each["title"], each["artist_id"], each["duration_ms"]) for each in world.tracks.values())

    assert sum(n - 1 for n in [*codes.values(), *names.values()]) == told


@pytest.mark.parametrize("column", ["release_date", "duration_ms", "isrc", "label_id"])
def test_wrong_metadata_is_written(world: Opened, column: str) -> None:
    """The file holds the wrong value, not the right one."""
    told = world.told(f"wrong_{column}")

    assert told
    for each in told:
        assert world.tracks[each["id"]][column] == each["details"]["written"] != each["details"]["right"]


def test_a_malformed_isrc_comes_from_a_right_one_and_is_no_duplicate(world: Opened) -> None:
    """Each broken code had a well-formed one before, and no two are alike."""
    told = [each["details"] for each in world.told("wrong_isrc")]

    assert all(each["right"] for each in told)
    assert len({each["written"] for each in told}) == len(told)


def test_only_tracks_with_a_wrong_date_are_heard_before_their_release(world: Opened) -> None:
    """Everything else is out, on the local day and on the UTC day, when it is heard."""
    out = {track: (date.fromisoformat(row["release_date"]) - FIRST).days for track, row in world.tracks.items()}
    earliest = world.log.group_by("track_id").agg(pl.min_horizontal("day", pl.col("at_s") // 86_400).min().alias("day"))

    early = {track for track, day in earliest.iter_rows() if day < out.get(track, -999)}

    assert early == {each["id"] for each in world.told("wrong_release_date")}


def test_nothing_is_later_than_the_last_day(world: Opened) -> None:
    """No listen, event or playlist addition is after `as_of` by the UTC clock, except the planted dirt."""
    ends = f"{AS_OF}T23:59:59Z"
    instants = {"events.jsonl.zst": "event_at", "playlists.csv.gz": "added_at"}

    assert world.log["at_s"].max() < 120 * 86_400  # type: ignore[operator]
    for name, column in instants.items():
        found = [record[column] for record in _records(world.file(name)) if isinstance(record, dict)]
        assert {instant for instant in found if instant > ends} <= {FUTURE}


def test_nothing_is_heard_from_its_withdrawal_on(world: Opened) -> None:
    """Some tracks are withdrawn within the period, and fall silent."""
    gone = {
        k: (date.fromisoformat(v["withdrawn_at"]) - FIRST).days for k, v in world.tracks.items() if v["withdrawn_at"]
    }
    latest = dict(world.log.group_by("track_id").agg(pl.col("day").max()).iter_rows())

    assert any(day > 0 for day in gone.values())
    assert all(latest.get(track, -999) < day for track, day in gone.items())


def test_stubs_are_named_and_not_described(world: Opened) -> None:
    """Stub tracks are heard and stub artists have tracks, but their tables do not hold them."""
    artists = {each["artist_id"] for each in _records(world.file("artists.csv")) if isinstance(each, dict)}
    heard = set(world.log["track_id"].to_list())

    for each in world.told("stub_track"):
        assert each["id"] in heard
        assert each["id"] not in world.tracks
    for each in world.told("stub_artist"):
        assert each["id"] not in artists
        assert any(track["artist_id"] == each["id"] for track in world.tracks.values())


def test_the_dirt_in_every_file_is_as_told(world: Opened) -> None:
    """Counted from the files: malformed rows, repeated rows, and rows that show each fault."""
    for path in world.summary.files:
        told = {each["details"]["fault"]: each["details"] for each in world.told("dirt") if each["id"] == path.name}
        records = list(_records(path))
        whole = [record for record in records if isinstance(record, dict)]
        faults = [fault for fault in FAULTS[told[DUPLICATE]["table"]] if fault.value is not None and fault.name in told]

        assert len(records) - len(whole) == sum(told[name]["rows"] for name in MALFORMED if name in told)
        n_repeated = len(whole) - len({str(record) for record in whole})
        assert 0 <= n_repeated - told[DUPLICATE]["rows"] <= 2  # skips within a second may be alike by chance
        for fault in faults:
            values = _written(fault)
            assert sum(record[fault.column] in values for record in whole) == told[fault.name]["rows"]


def test_dirt_and_good_rows_add_up(world: Opened) -> None:
    """Every line of every file is a good row of the summary or told dirt; recordings are no rows."""
    dirty = sum(each["details"]["rows"] for each in world.told("dirt") if each["details"]["table"] != "audio")

    rows = sum(
        pl.read_parquet(path).height
        if path.suffix == ".parquet"
        else _text(path).count("\n") - (".csv" in path.suffixes)
        for path in world.summary.files
    )

    assert rows == sum(world.summary.rows.values()) + dirty


def test_files_carry_columns_that_must_never_enter(world: Opened) -> None:
    """Addresses of the network and of mail are there to be refused."""
    first = {path.name: next(each for each in _records(path) if isinstance(each, dict)) for path in world.summary.files}

    assert "ip_address" in first["listens_2026-03.csv.gz"]
    assert "ip_address" in first["events.jsonl.zst"]
    assert "e_mail" in first["users.jsonl"]


def test_some_listeners_are_absent_from_the_users(world: Opened) -> None:
    """The log knows listeners whom the users file does not."""
    users = {each["user_id"] for each in _records(world.file("users.jsonl")) if isinstance(each, dict)}

    assert 0.01 < np.mean([user not in users for user in world.log["user_id"].unique()]) < 0.1


def test_plays_have_a_long_tail(world: Opened) -> None:
    """The Gini coefficient of plays over the catalogue is between 0.6 and 0.8."""
    counts = Counter(world.log["track_id"].to_list())
    plays = np.sort([counts[track] for track in world.tracks])
    ranks = np.arange(1, len(plays) + 1)

    gini = ((2 * ranks - len(plays) - 1) * plays).sum() / (len(plays) * plays.sum())

    assert 0.6 <= gini <= 0.8


def test_tastes_can_be_learned(world: Opened) -> None:
    """Neighbours of a listener's tracks find twice as many of the new tracks of the last 14 days as popularity."""
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


def test_a_recommender_brings_most_discoveries_and_few_returns(world: Opened) -> None:
    """Six in ten and two in ten, where files name a source; a return that was found anew counts as a return here."""
    june = pl.read_csv(world.file("listens_2026-06.csv.gz"), infer_schema=False, truncate_ragged_lines=True)
    told = june.filter(pl.col("source").is_in(["active", "algorithmic"])).sort("listened_at")
    pair = ["user_id", "track_id"]
    before = world.log.filter(pl.col("day") < (date(2026, 6, 1) - FIRST).days).select(pair).unique()
    returns = told.join(before, on=pair, how="semi")
    discoveries = told.join(before, on=pair, how="anti").unique(pair, keep="first", maintain_order=True)

    of_discoveries, of_returns = (
        (rows["source"] == "algorithmic").sum() / rows.height for rows in (discoveries, returns)
    )

    assert of_discoveries == pytest.approx(0.6, abs=0.03)
    assert 0.2 < of_returns < 0.35
    with gzip.open(world.file("listens_2026-03.csv.gz"), "rt") as march:
        assert "source" not in march.readline()
