"""OpenLineage events of a run: their form, their order, what they name, and what they leave out."""

import json
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from recsys.errors import InputError
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.pipeline.lineage import followed
from recsys.pipeline.run import Event
from recsys.warehouse.sqlfile import read_layers

AT = "2026-07-01T04:00:00.000+00:00"
NOW = partial(datetime, 2026, 7, 1, 5, tzinfo=UTC)


def step(event: str, name: str, **more: object) -> Event:
    """Return an event of a step, as a run logs it."""
    return {"at": AT, "run": "2026-06-30-abc", "event": event, "step": name, **more}


def messages_of(target: str, *events: Event, error: Exception | None = None) -> list[Event]:
    """Follow a run that logs these events; return what was passed on."""
    shown: list[Event] = []
    with followed(Home(Path("music")), target, shown.append, NOW) as tell:
        for event in events:
            tell(event)
        if error:
            raise error
    return shown


def require_valid(event: dict[str, Any]) -> None:
    """Check an event by the rules of the specification: what is required, and of which form."""
    UUID(event["run"]["runId"])
    assert datetime.fromisoformat(event["eventTime"]).tzinfo is not None
    assert event["eventType"] in {"START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"}
    assert event["producer"].startswith("https://")
    assert event["schemaURL"] == "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
    facets = [event["run"]["facets"], *(table["facets"] for table in (*event["inputs"], *event["outputs"]))]
    for facet in (facet for found in facets for facet in found.values()):
        assert facet["_producer"] == event["producer"]
        assert facet["_schemaURL"].startswith("https://openlineage.io/spec/facets/")
    for named in (event["job"], *event["inputs"], *event["outputs"]):
        assert named["namespace"] == "music"
        assert named["name"]


def test_a_run_and_its_steps_begin_and_end(tmp_path: Path) -> None:
    """Steps name their parent; the build reads all raw tables and writes all marts, with their columns."""
    logged = [step("start", "build"), {"event": "warning", "text": "x"}, step("done", "build"), step("start", "train")]
    target = tmp_path / "lineage.jsonl"

    assert messages_of(str(target), *logged, step("done", "train")) == [*logged, step("done", "train")]

    events = [json.loads(line) for line in target.read_text().splitlines()]
    for event in events:
        require_valid(event)
    assert [(event["job"]["name"], event["eventType"]) for event in events] == [
        *(("nightly", "START"), ("nightly.build", "START"), ("nightly.build", "COMPLETE")),
        *(("nightly.train", "START"), ("nightly.train", "COMPLETE"), ("nightly", "COMPLETE")),
    ]
    assert {event["run"]["facets"]["parent"]["run"]["runId"] for event in events[1:5]} == {events[0]["run"]["runId"]}
    assert events[1]["run"]["runId"] == events[2]["run"]["runId"] != events[3]["run"]["runId"]
    columns = {
        table["name"]: [field["name"] for field in table["facets"]["schema"]["fields"]]
        for table in (*events[2]["inputs"], *events[2]["outputs"])
    }
    assert columns == {
        **{f"lake.{name}": [field.name for field in contract.fields] for name, contract in CONTRACTS.items()},
        **{name: list(file.columns) for name, file in read_layers().items() if name.startswith("marts.")},
    }
    assert [table["name"] for table in events[4]["outputs"]] == ["results.trial_models"]


def test_a_failure_names_the_kind_of_error_alone(tmp_path: Path) -> None:
    """A message could repeat something of a listener."""
    target = tmp_path / "lineage.jsonl"
    failed = step("failed", "build", error="InputError: listener anna has no listens")

    with pytest.raises(InputError):
        messages_of(str(target), step("start", "build"), failed, error=InputError("listener anna has no listens"))

    events = [json.loads(line) for line in target.read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["START", "START", "FAIL", "FAIL"]
    assert {event["run"]["facets"]["errorMessage"]["message"] for event in events[2:]} == {"InputError"}
    assert "anna" not in target.read_text()


def test_events_are_posted_to_an_address() -> None:
    """As JSON, one request per event."""
    received: list[dict[str, Any]] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            received.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(201)
            self.end_headers()

        log_message: Callable[..., None] = lambda *_words: None

    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        messages_of(
            f"http://127.0.0.1:{server.server_port}/api/v1/lineage", step("start", "build"), step("done", "build")
        )
        server.shutdown()

    assert [event["eventType"] for event in received] == ["START", "START", "COMPLETE", "COMPLETE"]


def test_what_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    """A night does not depend on who follows it: after three failures in a row, it waits for no more."""
    steps = [step(event, name) for name in ("build", "train", "evaluate") for event in ("start", "done")]

    shown = messages_of(str(tmp_path / "no folder" / "lineage.jsonl"), *steps)

    text = "An event of the lineage could not be written (FileNotFoundError)"
    assert [event["text"] for event in shown if event["event"] == "warning"] == [
        text,
        text,
        f"{text}; no more are written in this run. Check --lineage",
    ]
    assert [event for event in shown if event["event"] != "warning"] == steps


def test_a_failure_that_passes_loses_its_event_alone(tmp_path: Path) -> None:
    """The next events are written."""
    target = tmp_path / "later" / "lineage.jsonl"
    with followed(Home(Path("music")), str(target), lambda _event: None, NOW) as tell:
        tell(step("start", "build"))
        target.parent.mkdir()
        tell(step("done", "build"))

    assert [json.loads(line)["eventType"] for line in target.read_text().splitlines()] == ["COMPLETE", "COMPLETE"]


def test_without_a_target_nothing_is_followed() -> None:
    """The function that takes events is the given one."""
    with followed(Home(Path("music")), None, print, NOW) as tell:
        assert tell is print
