"""The exported semantic models: structure as documented by dbt, references that resolve, and models that run."""

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.metrics import listing
from recsys.metrics.dbt import DEFINITIONS, write_dbt
from recsys.metrics.definitions import metrics

# The names that dbt documents for semantic models, measures, dimensions, entities and metrics.
MODEL = {"name", "description", "model", "defaults", "primary_entity", "entities", "dimensions", "measures"}
MEASURE = {"name", "description", "agg", "expr", "create_metric"}
METRIC = {"name", "label", "description", "type", "type_params"}
RESERVED = {"day", "week", "month", "quarter", "year", "hour", "minute", "second"}  # of MetricFlow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the export."""
    folder = tmp_path_factory.mktemp("dbt") / "models"
    assert write_dbt(folder) == ["exposure_share", "play_share"]
    return folder


@pytest.fixture(scope="module")
def definitions(folder: Path) -> Any:
    """The exported YAML."""
    return msgspec.yaml.decode((folder / DEFINITIONS).read_bytes())


def test_the_export_has_the_documented_structure(definitions: Any) -> None:
    """No other names than those of dbt; each model has a time dimension and a primary entity; no name is reserved."""
    assert set(definitions) == {"version", "models", "semantic_models", "metrics"}
    for model in definitions["semantic_models"]:
        assert set(model) == MODEL
        assert all(set(measure) == MEASURE for measure in model["measures"])
        assert {measure["agg"] for measure in model["measures"]} <= {"sum", "count_distinct"}
        times = [dimension["name"] for dimension in model["dimensions"] if dimension["type"] == "time"]
        assert times == [model["defaults"]["agg_time_dimension"]]
        assert RESERVED.isdisjoint(dimension["name"] for dimension in model["dimensions"])
    assert all(set(metric) == METRIC for metric in definitions["metrics"])


def test_every_metric_has_its_formula_over_measures_that_exist(definitions: Any) -> None:
    """And every name of a metric or measure is used once."""
    measures = [measure["name"] for model in definitions["semantic_models"] for measure in model["measures"]]
    names = [metric["name"] for metric in definitions["metrics"]]

    assert sorted(names) == sorted(metrics().keys() - {"exposure_share", "play_share"})
    assert len({*measures, *names}) == len(measures) + len(names)
    for metric in definitions["metrics"]:
        params, formula = metric["type_params"], metrics()[metric["name"]].formula
        inputs = [params["measure"]] if metric["type"] == "simple" else [one["name"] for one in params["metrics"]]
        assert params.get("expr", params.get("measure")) == formula
        assert set(inputs) == set(metrics()[metric["name"]].measures) <= set(measures)


def test_every_model_has_the_columns_that_are_defined_on_it(folder: Path, definitions: Any) -> None:
    """Models are SQL that DuckDB parses; the time spine has the column that is named."""
    texts = {path.stem: path.read_text() for path in folder.glob("*.sql")}

    assert texts.keys() == {model["name"] for model in definitions["models"]}
    for model in definitions["semantic_models"]:
        text = texts[model["name"]]
        assert len(duckdb.extract_statements(text)) == 1
        columns = [part.get("expr", part["name"]) for part in (*model["dimensions"], *model["measures"])]
        assert [column for column in columns if f" {column}" not in text and f".{column}" not in text] == []


def test_the_command_writes_the_export_and_refuses_a_folder_that_exists(tmp_path: Path) -> None:
    """It names what is left out; without --out it says what is missing."""
    export = ["--home", str(tmp_path), "metric", "--export", "dbt"]
    written = CliRunner().invoke(main, [*export, "--out", str(tmp_path / "models")])
    again = CliRunner().invoke(main, [*export, "--out", str(tmp_path / "models")])

    assert written.exit_code == 0, written.output
    assert (tmp_path / "models" / DEFINITIONS).exists()
    assert (again.exit_code, "Name a folder that does not exist" in again.output) == (2, True)
    assert "Add --out FOLDER" in CliRunner().invoke(main, export).output


def test_the_list_has_every_metric_with_its_definition() -> None:
    """As a table and as Markdown, which documents the facts as well."""
    text = listing.as_markdown()

    assert listing.listed()["name"].to_list() == list(metrics())
    assert all(f"| `{name}` | {metric.doc.meaning} |" in text for name, metric in metrics().items())
    assert all(f"| {name} |" in text for name in ("listening", "lists", "catalogue", "newcomers"))
