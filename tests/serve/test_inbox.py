"""Feedback: on disk before the answer, within its quota, and read by ingest under the same listeners."""

import json
import os
import resource
import signal
from pathlib import Path

import polars as pl
import pytest

from recsys.erasure.erase import erase
from recsys.home import Home
from recsys.ingest.pseudonym import listener_key, make_listener_key, pseudonym, sealed
from recsys.ingest.run import ingest
from recsys.lake.store import Lake
from recsys.pipeline.nightly import remove_feedback
from recsys.serve.app import Service
from recsys.serve.inbox import FeedbackInbox, NotKept, QuotaFull
from recsys.serve.messages import Shown

from .asking import TODAY, answer_of

LISTEN = Shown(
    listener_id="ada", track_id="t1", happened_at="2026-06-30T10:00:00+02:00", ms_played=40_000, rank=2, propensity=0.25
)
LIKE = Shown(listener_id="ada", track_id="t2", happened_at="2026-06-30T11:00:00Z", event="like")
KEY = b"k" * 32


def home_of(folder: Path) -> tuple[Home, str]:
    """Return a home with a key, and the pseudonym of ada."""
    home = Home(folder)
    make_listener_key(home.key_file)
    return home, pseudonym("ada", listener_key(home.key_file))


def waiting_at(folder: Path, seconds: list[float] | None = None, quota_bytes: int = 100_000) -> FeedbackInbox:
    """Return an inbox whose clock is the last of some seconds."""
    return FeedbackInbox(folder, quota_bytes, lambda: (seconds or [0.0])[-1], KEY)


def test_feedback_becomes_rows_of_the_same_listener(tmp_path: Path) -> None:
    """The pseudonym is not hashed again, a listen from a list is algorithmic, and the file keeps the propensity."""
    home, listener = home_of(tmp_path)
    inbox = FeedbackInbox.of(home, 10_000, lambda: 0.0)
    inbox.append([(listener, LISTEN), (listener, LIKE)])
    inbox.close()
    (file,) = home.inbox.iterdir()
    kept = file.read_text()
    (home.path / "log.csv").write_text("user_id,track_id,listened_at\nada,t3,2026-06-30T09:00:00Z\n")

    ingest(home, [home.inbox, home.path / "log.csv"], today=TODAY)

    listens = Lake(home).rows("listens").sort("track_id").collect()
    assert listens.select("user_id", "track_id", "source").rows() == [
        (listener, "t1", "algorithmic"),
        (listener, "t3", "unknown"),
    ]
    assert listens["listened_at"][0].isoformat() == "2026-06-30T08:00:00+00:00"
    assert Lake(home).rows("events").select("user_id", "track_id", "event").collect().rows() == [
        (listener, "t2", "like")
    ]
    assert '"propensity":0.25' in kept
    assert "ada" not in kept
    remove_feedback(home)
    assert list(home.inbox.iterdir()) == []


def test_a_line_without_the_seal_of_the_home_does_not_enter(tmp_path: Path) -> None:
    """An account, a pseudonym of another key and one without a seal are refused, without their text; the file stays."""
    home, listener = home_of(tmp_path)
    names = ["ada@example.org", listener, sealed(listener, b"x" * 32), f"{listener}."]
    event = {"track_id": "t1", "happened_at": "2026-06-30T10:00:00Z", "event": "like", "propensity": None}
    home.inbox.mkdir()
    forged = home.inbox / "service-feedback-forged.jsonl"
    forged.write_text("".join(json.dumps({"pseudonym": name, **event}) + "\n" for name in names))

    report = ingest(home, [home.inbox], today=TODAY)

    assert sum(batch.n_quarantined for batch in report.batches) == len(names)
    assert Lake(home).rows("events").collect().is_empty()
    assert not any(b"example.org" in path.read_bytes() for path in home.lake.rglob("*") if path.is_file())
    remove_feedback(home)
    assert forged.exists()


def test_an_erasure_reaches_feedback_that_waits(tmp_path: Path) -> None:
    """The listener's lines go, the others' stay."""
    home, listener = home_of(tmp_path)
    (home.path / "log.csv").write_text("user_id,track_id,listened_at\nada,t3,2026-06-30T09:00:00Z\n")
    ingest(home, [home.path / "log.csv"], today=TODAY)
    inbox = FeedbackInbox.of(home, 10_000, lambda: 0.0)
    inbox.append([(listener, LISTEN), ("another", LIKE)])
    inbox.close()

    found = {store.store: (store.n_rows, store.n_left) for store in erase(home, "ada")}

    assert found["feedback that waits"] == (1, 0)
    (file,) = home.inbox.iterdir()
    assert [line.partition(".")[0] for line in pl.read_ndjson(file)["pseudonym"]] == ["another"]


def test_a_quota_is_never_exceeded(tmp_path: Path) -> None:
    """Files that wait count until they are gone, and what does not fit is not written in part."""
    seconds = [0.0]
    inbox = waiting_at(tmp_path, seconds, quota_bytes=700)
    inbox.append([("a", LISTEN)])
    inbox.close()
    inbox.append([("b", LISTEN)])

    with pytest.raises(QuotaFull):
        inbox.append([("c", LISTEN)] * 2)
    assert 400 < sum(path.stat().st_size for path in tmp_path.iterdir()) <= 700
    (closed,) = tmp_path.glob("service-*")
    closed.unlink()
    seconds.append(61.0)
    inbox.rotate()
    inbox.append([("c", LISTEN)])


def test_a_killed_service_loses_no_accepted_event(tmp_path: Path) -> None:
    """The next one takes the file over, without the line that was not finished; a night does not see it before."""
    home, _ = home_of(tmp_path)
    killed = FeedbackInbox.of(home, 10_000, lambda: 0.0)
    killed.append([("a", LISTEN)])
    (hidden,) = home.inbox.iterdir()
    assert hidden.name.startswith(".")
    with hidden.open("ab") as stream:
        stream.write(b'{"pseudonym":"b"')
    assert killed._file is not None
    os.close(killed._file.handle)  # as the end of a process does

    FeedbackInbox.of(home, 10_000, lambda: 0.0)

    (file,) = home.inbox.iterdir()
    assert file.name.startswith("service-feedback-")
    assert [line.partition(".")[0] for line in pl.read_ndjson(file)["pseudonym"]] == ["a"]


def test_two_services_of_a_home_lose_nothing(tmp_path: Path) -> None:
    """Each has a file of its own, which the other does not touch, also where it starts or ends meanwhile."""
    first, accepted = waiting_at(tmp_path), list[str]()
    for n in range(30):
        other = waiting_at(tmp_path)
        other.count()
        for inbox, name in ((first, f"a{n}"), (other, f"b{n}")):
            inbox.append([(name, LISTEN)])
            accepted.append(name)
        other.close()
        first.count()
    first.close()

    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(json.loads(line)["pseudonym"].partition(".")[0] for line in lines) == sorted(accepted)


def test_what_is_not_on_disk_is_not_accepted(tmp_path: Path) -> None:
    """A disk that is full in the middle of a line leaves the file as it was; the next events are whole."""
    inbox = waiting_at(tmp_path)
    inbox.append([("a", LISTEN)])
    before, limits = next(tmp_path.iterdir()).read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 100, limits[1]))
        with pytest.raises(NotKept):
            inbox.append([("b", LISTEN)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)
    assert next(tmp_path.iterdir()).read_bytes() == before

    inbox.append([("c", LISTEN)])
    inbox.close()

    (file,) = tmp_path.iterdir()
    assert [line.partition(".")[0] for line in pl.read_ndjson(file)["pseudonym"]] == ["a", "c"]


def test_a_file_is_handed_over_after_a_minute(tmp_path: Path) -> None:
    """Not before, so that a night does not read a thousand small files."""
    seconds = [0.0]
    inbox = waiting_at(tmp_path, seconds)
    inbox.append([("a", LISTEN)])
    inbox.rotate()
    assert [path.name[0] for path in tmp_path.iterdir()] == ["."]
    seconds.append(61.0)

    inbox.rotate()

    assert [path.name[0] for path in tmp_path.iterdir()] == ["s"]


def test_feedback_is_checked_before_it_is_kept(service: Service) -> None:
    """One event that breaks the contract refuses all, with its number; a full quota is 507."""
    good = {"listener_id": "ada", "track_id": "t1", "happened_at": "2026-06-30T10:00:00Z"}

    refused = answer_of(
        service, "/v1/feedback", method="POST", body={"events": [good, {**good, "happened_at": "2031-01-01T00:00:00Z"}]}
    )
    assert (refused.status, refused.value["detail"].split(" (")[0]) == (422, "Event 2: happened_at is refused")
    assert not service.inbox.folder.exists()
    assert answer_of(service, "/v1/feedback", method="POST", body={"events": [good]}).value == {"n_accepted": 1}
    assert answer_of(service, "/v1/feedback", method="POST", body={"events": [good] * 200}).status == 507
