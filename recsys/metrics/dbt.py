"""
The metrics for other tools, as semantic models of dbt (MetricFlow): models in SQL, and one YAML file of definitions.

Models read the marts of the published file, so that a dbt project needs it attached, with its schemas marts and meta.
Small groups are not merged there: whoever queries the models sees every listener's rows. Shares of a total have no form
in MetricFlow and are left out. The form is that of dbt 1.6 to 1.11, with measures, which later versions read as well.
Each measure has the name of its column: MetricFlow 0.209 does not find one that is renamed.
Source: dbt semantic models, measures and metrics (docs.getdbt.com).
"""

from pathlib import Path
from typing import Any

import msgspec

from recsys import files
from recsys.errors import InputError
from recsys.metrics.definitions import LISTENERS, Metric, metrics
from recsys.warehouse.sqlfile import SqlFile

DEFINITIONS = "semantic_models.yml"
TIME_SPINE = "metric_days"
DAY = "activity_date"  # MetricFlow reserves the name day
_OF_TOTAL = " over "  # formulas with a window are shares of a total
_DAYS = "select listen_date as date_day\nfrom marts.track_daily\ngroup by listen_date\n"


def write_dbt(folder: Path) -> list[str]:
    """
    Write the models and definitions to a new folder, atomically; return the names of metrics that are left out.

    Raises:
        InputError: The folder exists.
    """
    if folder.exists():
        raise InputError(f"{folder} exists, and was left as it is. Name a folder that does not exist")
    facts = {metric.facts.name: metric.facts for metric in metrics().values()}
    with files.new_folder(folder) as new:
        for file in facts.values():
            (new / f"{_model(file)}.sql").write_text(_query(file), encoding="utf-8")
        (new / f"{TIME_SPINE}.sql").write_text(_DAYS, encoding="utf-8")
        (new / DEFINITIONS).write_bytes(msgspec.yaml.encode(_definitions(list(facts.values()))))
    return [name for name, metric in metrics().items() if not _has_form(metric)]


def _has_form(metric: Metric) -> bool:
    return _OF_TOTAL not in metric.formula


def _model(file: SqlFile) -> str:
    return f"metric_{file.name.partition('.')[2]}"


def _query(file: SqlFile) -> str:
    """Return the query of a model: the facts, with who counts as a listener, and the day of the release if none."""
    counted = f"case when facts.weight > 0 then facts.user_id end as {LISTENERS}"
    added = [counted] if "user_id" in file.columns else []
    added += [] if "day" in file.columns else ["build.as_of as day"]
    columns = ", ".join(["facts.*", *added])
    return f"select {columns}\nfrom (\n{file.query}\n) as facts\ncross join meta.build as build\n"


def _definitions(facts: list[SqlFile]) -> dict[str, Any]:
    exported = [metric for metric in metrics().values() if _has_form(metric)]
    spine = {
        "name": TIME_SPINE,
        "description": "Days of the log.",
        "time_spine": {"standard_granularity_column": "date_day"},
        "columns": [{"name": "date_day", "granularity": "day"}],
    }
    return {
        "version": 2,
        "models": [spine, *({"name": _model(file), "description": file.description} for file in facts)],
        "semantic_models": [_semantic_model(file, exported) for file in facts],
        "metrics": [_metric(metric) for metric in exported],
    }


def _semantic_model(file: SqlFile, exported: list[Metric]) -> dict[str, Any]:
    used = [metric for metric in exported if metric.facts is file]
    dimensions = [name for name in used[0].dimensions if name in file.columns and name != "day"]
    entities = [{"name": "listener", "type": "foreign", "expr": "user_id"}] if "user_id" in file.columns else []
    day = {"name": DAY, "type": "time", "expr": "day", "type_params": {"time_granularity": "day"}}
    measures = dict.fromkeys(name for metric in used for name in metric.measures)
    return {
        "name": _model(file),
        "description": file.description,
        "model": f"ref('{_model(file)}')",
        "defaults": {"agg_time_dimension": DAY},
        "primary_entity": f"{_model(file)}_row",
        "entities": entities,
        "dimensions": [day, *({"name": name, "type": "categorical"} for name in dimensions)],
        "measures": [_measure(name, file) for name in measures],
    }


def _measure(name: str, file: SqlFile) -> dict[str, Any]:
    if name == LISTENERS:
        return _created(name, "distinct listeners") | {"agg": "count_distinct", "expr": name}
    return _created(name, file.columns[name].meaning) | {"agg": "sum", "expr": name}


def _created(name: str, meaning: str) -> dict[str, Any]:
    return {"name": name, "description": meaning, "create_metric": True}


def _metric(metric: Metric) -> dict[str, Any]:
    is_simple = metric.measures == (metric.formula,)
    inputs = [{"name": name} for name in metric.measures]
    return {
        "name": metric.name,
        "label": metric.name.replace("_", " ").capitalize(),
        "description": f"{metric.description} {metric.meaning}",
        "type": "simple" if is_simple else "derived",
        "type_params": {"measure": metric.formula} if is_simple else {"expr": metric.formula, "metrics": inputs},
    }
