"""
Build events of OpenLineage into the classes of openlineage-python, whose validators check ids, times and facets.

What the classes write, the addresses of their schemas included, must be what was read. Run in an environment of its own
by `python -m bench.standards`.
"""

import json
import sys
from pathlib import Path
from typing import Any

from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent
from openlineage.client.facet_v2 import error_message_run, parent_run, schema_dataset
from openlineage.client.generated.base import EventType
from openlineage.client.serde import Serde


def check() -> None:
    """Print the number of events in the file that the first argument names, and a line for each that is refused."""
    events = [json.loads(line) for line in Path(sys.argv[1]).read_text(encoding="utf-8").splitlines()]
    problems = [f"{event['job']['name']}: {found}" for event in events if (found := _problem(event))]
    print(json.dumps({"n": len(events), "problems": problems}))


def _problem(event: dict[str, Any]) -> str:
    try:
        written = Serde.to_dict(_built(event))
    except (TypeError, ValueError, KeyError) as refused:
        return f"{type(refused).__name__}: {refused}"
    return "" if _filled(written) == _filled(event) else "the classes write something else"


def _built(event: dict[str, Any]) -> RunEvent:
    return RunEvent(
        eventTime=event["eventTime"],
        eventType=EventType(event["eventType"]),
        producer=event["producer"],
        run=Run(event["run"]["runId"], facets=_facets(event["run"]["facets"])),
        job=Job(**event["job"]),
        inputs=[InputDataset(**table | {"facets": _facets(table["facets"])}) for table in event["inputs"]],
        outputs=[OutputDataset(**table | {"facets": _facets(table["facets"])}) for table in event["outputs"]],
    )


def _facets(facets: dict[str, Any]) -> dict[str, Any]:
    return {name: _facet(name, dict(content)) for name, content in facets.items()}


def _facet(name: str, content: dict[str, Any]) -> Any:
    producer, _ = content.pop("_producer"), content.pop("_schemaURL")
    if name == "parent":
        run, job = parent_run.Run(**content["run"]), parent_run.Job(**content["job"])
        return parent_run.ParentRunFacet(run=run, job=job, producer=producer)
    if name == "errorMessage":
        return error_message_run.ErrorMessageRunFacet(**content, producer=producer)
    columns = [schema_dataset.SchemaDatasetFacetFields(**column) for column in content["fields"]]
    return schema_dataset.SchemaDatasetFacet(fields=columns, producer=producer)


def _filled(value: Any) -> Any:
    """Return a value without empty members, which the classes leave out."""
    if isinstance(value, dict):
        return {name: _filled(member) for name, member in value.items() if member not in (None, [], {})}
    return [_filled(member) for member in value] if isinstance(value, list) else value
