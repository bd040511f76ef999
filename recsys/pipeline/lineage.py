"""
OpenLineage events of a nightly run: START and COMPLETE or FAIL of the run and of each step, with inputs and outputs.

They are made of the events that a run logs, and are appended to a file as JSON Lines or posted to an address. They name
tables and columns, never rows, and of an error only its kind. Source: OpenLineage 2-0-2 (openlineage.io/spec), with
the facets schema 1-2-0, parent 1-2-0 and errorMessage 1-0-1.
"""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from recsys import __version__
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.pipeline.plan import BUILD, steps
from recsys.pipeline.run import Event
from recsys.warehouse.sqlfile import SqlFile, read_layers

WAIT_S = 5  # for the answer of an address
MOST_FAILURES = 3  # in a row; then no more events are written, since waiting for each would delay the run
PRODUCER = f"https://pypi.org/project/recsys/{__version__}"
_SPEC = "https://openlineage.io/spec"
RUN, INGEST = "nightly", "ingest"
_STATES = {"start": "START", "done": "COMPLETE", "failed": "FAIL"}
Tell = Callable[[Event], None]
Columns = list[dict[str, str]]


@contextmanager
def followed(home: Home, target: str | None, tell: Tell, now: Callable[[], datetime]) -> Iterator[Tell]:
    """
    Yield a function that tells events of a run on, and writes the lineage of the run in the `with` block.

    Args:
        home: The home of the run, whose name is the namespace of jobs and tables.
        target: A file, or an address that begins with http:// or https://; None: nothing is written.
        tell: Called with every event, and with a warning if an event cannot be written.
        now: Returns the current instant, with time zone.
    """
    if target is None:
        yield tell
        return
    lineage = _Lineage(home.path.name, target, tell, now)
    try:
        yield lineage.tell
    except BaseException as stopped:
        lineage.end("FAIL", type(stopped).__name__)
        raise
    lineage.end("COMPLETE")


class _Lineage:
    def __init__(self, namespace: str, target: str, tell: Tell, now: Callable[[], datetime]) -> None:
        self._namespace, self._target, self._tell, self._now = namespace, target, tell, now
        self._run_id: UUID | None = None
        self._step_ids: dict[str, UUID] = {}
        self._n_failures = 0  # in a row

    def tell(self, event: Event) -> None:
        """Tell an event on; the first one starts the run."""
        self._tell(event)
        if self._run_id is None and "run" in event:
            instant = str(event.get("at") or self._now().isoformat())
            self._run_id = uuid5(NAMESPACE_URL, f"{event['run']}/{instant}")
            self._write("START", instant, RUN, self._run_id)
        if (step := event.get("step")) and event["event"] in _STATES:
            self._step(str(step), event)

    def end(self, state: str, error: str = "") -> None:
        """Write that the run ended; nothing if it never began."""
        if self._run_id is not None:
            self._write(state, self._now().isoformat(), RUN, self._run_id, **_failure(error))

    def _step(self, step: str, event: Event) -> None:
        if event["event"] == "start":
            self._step_ids[step] = uuid5(NAMESPACE_URL, f"{self._run_id}/{step}/{event['at']}")
        parent = _facet("ParentRunFacet", "1-2-0", run={"runId": str(self._run_id)}, job=self._job(RUN))
        error = str(event.get("error", "")).partition(":")[0].partition(" ")[0]
        facets = {"parent": parent, **_failure(error)}
        self._write(_STATES[event["event"]], event["at"], f"{RUN}.{step}", self._step_ids[step], **facets)

    def _job(self, name: str) -> dict[str, str]:
        return {"namespace": self._namespace, "name": name}

    def _write(self, state: str, instant: str, job: str, run_id: UUID, **facets: object) -> None:
        inputs, outputs = tables(job.removeprefix(f"{RUN}."))
        self._send(
            {
                "eventType": state,
                "eventTime": instant,
                "producer": PRODUCER,
                "schemaURL": f"{_SPEC}/2-0-2/OpenLineage.json#/$defs/RunEvent",
                "run": {"runId": str(run_id), "facets": facets},
                "job": self._job(job),
                "inputs": [self._job(name) | {"facets": _schema(columns)} for name, columns in inputs.items()],
                "outputs": [self._job(name) | {"facets": _schema(columns)} for name, columns in outputs.items()],
            }
        )

    def _send(self, event: dict[str, Any]) -> None:
        if self._n_failures == MOST_FAILURES:
            return
        try:
            _append(self._target, json.dumps(event, sort_keys=True))
        except (OSError, ValueError) as failed:
            self._n_failures += 1
            is_last = self._n_failures == MOST_FAILURES
            rest = "; no more are written in this run. Check --lineage" if is_last else ""
            reason = type(failed).__name__
            self._tell({"event": "warning", "text": f"An event of the lineage could not be written ({reason}){rest}"})
        else:
            self._n_failures = 0


def _append(target: str, text: str) -> None:
    if target.startswith(("http://", "https://")):
        _post(target, text)
        return
    with Path(target).open("a", encoding="utf-8") as stream:
        stream.write(f"{text}\n")


def _post(address: str, text: str) -> None:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, text.encode(), headers)  # noqa: S310 - http or https, as checked above
    urllib.request.urlopen(request, timeout=WAIT_S).close()  # noqa: S310


def tables(job: str) -> tuple[dict[str, Columns], dict[str, Columns]]:
    """
    Return the tables that a step, or the run (`nightly`), reads and writes.

    Returns:
        Inputs and outputs: name -> columns; results that steps hand on have none.
    """
    lake: dict[str, Columns] = {
        f"lake.{contract.table}": [{"name": field.name, "type": str(field.kind.value)} for field in contract.fields]
        for contract in CONTRACTS.values()
    }
    if job == INGEST:
        return {}, lake
    if job in {BUILD, RUN}:
        marts = {name: file for name, file in read_layers().items() if name.startswith("marts.")}
        return lake, {name: _described(file) for name, file in marts.items()}
    if (step := steps().get(job)) is None:
        return {}, {}
    made = {output.name for other in steps().values() for output in other.outputs}
    reads = [name for name in step.reads if name in made]
    return {f"results.{name}": [] for name in reads}, {f"results.{output.name}": [] for output in step.outputs}


def _described(mart: SqlFile) -> Columns:
    return [{"name": name, "description": doc.meaning} for name, doc in mart.columns.items()]


def _schema(columns: Columns) -> dict[str, Any]:
    return {"schema": _facet("SchemaDatasetFacet", "1-2-0", fields=columns)} if columns else {}


def _failure(error: str) -> dict[str, Any]:
    if not error:
        return {}
    return {"errorMessage": _facet("ErrorMessageRunFacet", "1-0-1", message=error, programmingLanguage="python")}


def _facet(name: str, version: str, **content: object) -> dict[str, Any]:
    return {"_producer": PRODUCER, "_schemaURL": f"{_SPEC}/facets/{version}/{name}.json#/$defs/{name}", **content}
