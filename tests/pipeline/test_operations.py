"""What operators ask of a home: times of steps, disk space, waiting files and rows, failed checks of the gate."""

import json
import os
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from recsys.errors import SetupError
from recsys.files import sha256_of
from recsys.home import Home, locked
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline import operations
from recsys.pipeline.run import Run

TODAY = date(2026, 6, 30)
LISTENS = "user_id,track_id,listened_at,ms_played\na,t1,2026-06-29T10:00:00Z,60000\nb,t1,2026-06-29T11:00:00Z,{}\n"


def run_with(home: Home, name: str, **written: str) -> Path:
    """Write the folder of a run: its log, and files named with underscores in place of points."""
    folder = home.runs / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, content in written.items():
        (folder / file.replace("_", ".")).write_text(content)
    return folder


def done(step: str, seconds: float) -> str:
    """Return the line of the log for a complete step."""
    return json.dumps({"event": "done", "step": step, "seconds": seconds}) + "\n"


def test_each_step_has_the_time_of_its_last_completion(tmp_path: Path) -> None:
    """Steps are in the order in which they first ended; folders that are no runs are left out."""
    home = Home(tmp_path)
    run_with(home, "2026-06-29-aaaaaaaa", log_jsonl=done("ingest", 1) + done("build", 8) + done("ingest", 2))
    run_with(home, "2026-06-30-bbbbbbbb", log_jsonl='{"event": "start", "step": "ingest"}\n')
    run_with(home, "notes", log_jsonl=done("ingest", 5))

    assert operations.step_times(home).rows() == [
        ("2026-06-29-aaaaaaaa", date(2026, 6, 29), 1, "ingest", 2.0),
        ("2026-06-29-aaaaaaaa", date(2026, 6, 29), 2, "build", 8.0),
    ]


def event_line(hour: int, minute: int, **event: object) -> str:
    """Return the line of the log for an event on 1 July 2026."""
    return json.dumps({"at": f"2026-07-01T{hour:02}:{minute:02}:00.000+00:00", **event}) + "\n"


def test_a_night_lasts_from_its_first_event_to_its_last_step(tmp_path: Path) -> None:
    """Messages sent later and lines without a time do not make it longer; a run without a complete step is none."""
    home = Home(tmp_path)
    log = event_line(2, 0, event="start", step="ingest") + event_line(2, 45, event="done", step="publish", seconds=9)
    log += event_line(9, 0, event="sent", kind="digest") + done("late", 3) + '{"at": "noon", "event": "warning"}\n'
    run_with(home, "2026-06-30-aaaaaaaa", log_jsonl=log, publish_done_json="{}")
    run_with(home, "2026-06-30-bbbbbbbb", log_jsonl=event_line(3, 0, event="start", step="ingest"))

    assert operations.run_times(home).rows() == [
        ("2026-06-30-aaaaaaaa", date(2026, 6, 30), datetime(2026, 7, 1, 2, 45, tzinfo=UTC), 2_700.0, True)
    ]


def test_the_history_of_disk_use_is_what_nights_measured(tmp_path: Path) -> None:
    """The last measurement of each run counts."""
    home = Home(tmp_path)
    first, last = (event_line(2, 0, event="disk", parts={"lake": n_bytes, "models": 3}) for n_bytes in (5, 7))
    run_with(home, "2026-06-29-aaaaaaaa", log_jsonl=first + last)
    run_with(home, "2026-06-30-bbbbbbbb", log_jsonl=done("ingest", 1))

    assert operations.disk_history(home).rows() == [
        ("2026-06-29-aaaaaaaa", date(2026, 6, 29), "lake", 7),
        ("2026-06-29-aaaaaaaa", date(2026, 6, 29), "models", 3),
    ]


def test_a_finished_night_measures_the_home(finished: Run) -> None:
    """Its lake, which nothing has changed since, has that size still, and its working files are not counted."""
    measured = dict(operations.disk_history(finished.home).select("part", "n_bytes").iter_rows())
    now = dict(operations.disk_use(finished.home).select("part", "n_bytes").iter_rows())

    assert measured["lake"] == now["lake"] > 0
    assert measured["warehouse"] == now["warehouse"]


def test_a_home_without_runs_has_nothing_to_tell(tmp_path: Path) -> None:
    """All answers are empty, also before the first ingest."""
    home = Home(tmp_path)

    assert operations.step_times(home).is_empty()
    assert operations.disk_use(home).is_empty()
    assert operations.disk_history(home).is_empty()
    assert operations.run_times(home).is_empty()
    assert operations.waiting_in_inbox(home) == []
    assert operations.waiting_uploads(home, set()) == []
    assert operations.quarantined(home).is_empty()
    assert operations.failures(home, "2026-06-30-aaaaaaaa").is_empty()
    assert not operations.is_running(home)
    assert operations.oldest([]) is None


FAILURE = {"measure": "plays on 2026-06-30", "found": "3", "expected": "at least 10 %", "remedy": "Ingest the files"}


@pytest.mark.parametrize(
    ("verdict", "rows"),
    [
        ({"passed": True, "reasons": [], "failures": []}, []),
        ({"passed": False, "reasons": ["few plays"], "failures": [FAILURE]}, [tuple(FAILURE.values())]),
        (
            {"passed": False, "reasons": ["few plays", "few rows"]},
            [(None, t, None, None) for t in ("few plays", "few rows")],
        ),
    ],
)
def test_the_failed_checks_of_a_run_are_read(tmp_path: Path, verdict: dict[str, object], rows: list[object]) -> None:
    """Of a verdict of an older version, the reasons alone."""
    run_with(Home(tmp_path), "2026-06-30-aaaaaaaa", verdict_json=json.dumps(verdict))

    assert operations.failures(Home(tmp_path), "2026-06-30-aaaaaaaa").rows() == rows


def test_a_damaged_verdict_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    """It names the file."""
    run_with(Home(tmp_path), "2026-06-30-aaaaaaaa", verdict_json='{"passed": fal')

    with pytest.raises(SetupError, match=r"verdict\.json"):
        operations.failures(Home(tmp_path), "2026-06-30-aaaaaaaa")


def test_the_size_of_each_part_is_that_of_its_files(finished: Run) -> None:
    """The parts add up to all files of the home; links count nothing, and label files are apart from warehouses."""
    home = finished.home
    found = {part: (n_files, n_bytes) for part, n_files, n_bytes in operations.disk_use(home).iter_rows()}
    every = [Path(folder) / name for folder, _, names in os.walk(home.path) for name in names]
    plain = [path for path in every if not path.is_symlink()]
    labels = [path for path in plain if path.is_relative_to(home.path / "warehouse/labels")]
    lake = [path for path in plain if path.is_relative_to(home.lake)]

    assert found["lake"] == (len(lake), sum(path.stat().st_size for path in lake))
    assert found["label files"] == (len(labels), sum(path.stat().st_size for path in labels)) > (0, 0)
    assert sum(n_files for n_files, _ in found.values()) == len(plain)
    assert sum(n_bytes for _, n_bytes in found.values()) == sum(path.stat().st_size for path in plain)


def test_a_home_is_running_while_its_lock_is_held(tmp_path: Path) -> None:
    """Asking does not keep others from the lock."""
    home = Home(tmp_path)
    with locked(home):
        assert operations.is_running(home)

    assert not operations.is_running(home)
    with locked(home):
        pass


def test_files_wait_until_they_are_ingested(tmp_path: Path) -> None:
    """Refused rows then wait in the quarantine; an ingested file that stays in the inbox does not wait."""
    home = Home(tmp_path / "home")
    home.inbox.mkdir(parents=True)
    first, second = home.inbox / "one.csv", home.inbox / "two.csv"
    first.write_text(LISTENS.format("60000"))
    second.write_text(LISTENS.format("never"))
    os.utime(first, (1_000_000_000, 1_000_000_000))
    assert operations.waiting_in_inbox(home) == [first, second]
    assert operations.oldest([second, first]) == datetime(2001, 9, 9, 1, 46, 40, tzinfo=UTC)

    ingest(home, [first], today=TODAY)
    assert operations.waiting_in_inbox(home) == [second]

    ingest(home, [home.inbox], today=TODAY)
    assert operations.waiting_in_inbox(home) == []
    stored = [pl.read_parquet(path) for path in (home.lake / "quarantine").rglob("*.parquet")]
    n_stored = sum(rows.height for rows in stored)
    assert (
        operations.quarantined(home)["n_rows"].sum() == n_stored == sum(b.n_quarantined for b in Lake(home).batches())
    )


def test_an_upload_waits_until_it_is_searched(tmp_path: Path) -> None:
    """Files are known by their bytes; others than music never wait."""
    home = Home(tmp_path)
    home.uploads.mkdir()
    for name in ("a.mp3", "b.wav", "notes.txt"):
        (home.uploads / name).write_text(name)

    assert operations.waiting_uploads(home, set()) == [home.uploads / "a.mp3", home.uploads / "b.wav"]
    assert operations.waiting_uploads(home, {sha256_of(home.uploads / "a.mp3")}) == [home.uploads / "b.wav"]
