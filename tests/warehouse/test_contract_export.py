"""The exported contracts: structure of the Open Data Contract Standard and of dbt, and agreement with the contracts."""

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.warehouse.contract_export import ContractFormat, exported

# Open Data Contract Standard v3.1.0: the names that an object, a property and a check may have.
ROOT = {"version", "apiVersion", "kind", "id", "name", "status", "description", "schema"}
OBJECT = {"name", "physicalName", "physicalType", "logicalType", "description", "properties"}
PROPERTY = {
    *("name", "logicalType", "physicalType", "required", "primaryKey", "primaryKeyPosition", "description"),
    *("classification", "items", "logicalTypeOptions", "quality", "customProperties"),
}
LOGICAL = {"string", "integer", "boolean", "timestamp", "date", "array", "number", "object", "time"}
OPTIONS = {
    "string": {"maxLength", "minLength", "pattern", "format"},
    "number": {"minimum", "maximum", "multipleOf", "format"},
    "integer": {"minimum", "maximum", "multipleOf", "format"},
    "date": {"minimum", "maximum", "format"},
    "timestamp": {"minimum", "maximum", "format", "timezone", "defaultTimezone"},
}
CHECK = {"type", "metric", "arguments", "mustBe", "unit"}


@pytest.fixture(scope="module")
def odcs(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return the contracts as parsed from the Open Data Contract Standard."""
    return msgspec.yaml.decode(exported(ContractFormat.ODCS, Home(tmp_path_factory.mktemp("home"))))


def test_the_export_has_the_structure_of_the_standard(odcs: Any) -> None:
    """Required names are there, and no other than those of the standard."""
    assert set(odcs) == ROOT
    assert (odcs["apiVersion"], odcs["kind"], odcs["status"]) == ("v3.1.0", "DataContract", "active")
    for table in odcs["schema"]:
        assert set(table) == OBJECT
        for column in table["properties"]:
            assert set(column) <= PROPERTY
            assert {"name", "logicalType", "required"} <= set(column)
            assert column["logicalType"] in LOGICAL
            value = column.get("items", column)
            assert set(value.get("logicalTypeOptions", {})) <= OPTIONS.get(value["logicalType"], set())
            assert ("items" in column) == (column["logicalType"] == "array")
            for check in column.get("quality", []):
                assert set(check) == CHECK
                assert (check["type"], check["metric"], check["mustBe"]) == ("library", "invalidValues", 0)


def test_the_export_says_what_the_contracts_say(odcs: Any) -> None:
    """Tables, columns, keys, required columns and allowed values, read back from the YAML."""
    tables = {table["name"]: table["properties"] for table in odcs["schema"]}

    assert list(tables) == list(CONTRACTS)
    for name, contract in CONTRACTS.items():
        columns = {column["name"]: column for column in tables[name]}
        keys = sorted(
            (column["primaryKeyPosition"], column["name"]) for column in tables[name] if "primaryKey" in column
        )
        assert list(columns) == contract.names
        assert tuple(key for _, key in keys) == contract.key
        for field in contract.fields:
            (check,) = columns[field.name].get("quality", [{"arguments": {"validValues": []}}])
            assert columns[field.name]["required"] == field.required
            assert check["arguments"]["validValues"] == list(field.allowed)


def test_limits_and_meanings_are_exported(odcs: Any) -> None:
    """A range, a pattern of list items, a length, a first day, a meaning with its unit."""
    columns = {(table["name"], column["name"]): column for table in odcs["schema"] for column in table["properties"]}

    played = columns["listens", "ms_played"]
    assert played["logicalTypeOptions"] == {"minimum": 0, "maximum": 86_400_000}
    assert played["description"] == "time listened, null where the log has no durations [ms]"
    assert columns["tracks", "available_in"]["items"] == {
        "logicalType": "string",
        "logicalTypeOptions": {"maxLength": 1_000, "pattern": "^[A-Z]{2}$"},
    }
    assert columns["tracks", "available_in"]["customProperties"] == [
        {"property": "invalidValueRefusesRow", "value": True}
    ]
    assert columns["tracks", "release_date"]["logicalTypeOptions"]["minimum"] == "1800-01-01"
    assert columns["users", "user_id"]["classification"] == "personal"
    assert columns["audio_features", "tempo_bpm"]["logicalTypeOptions"] == {"minimum": 10, "maximum": 1_000}


def test_the_sources_of_dbt_say_what_the_contracts_say(tmp_path: Path) -> None:
    """One table per contract, with its files, types and tests."""
    file = tmp_path / "it's" / "lake" / "listens" / "ds=2026-06-01" / "a.parquet"
    file.parent.mkdir(parents=True)
    file.touch()
    document = msgspec.yaml.decode(exported(ContractFormat.DBT, Home(tmp_path / "it's")))
    (source,) = document["sources"]
    tables = {table["name"]: table for table in source["tables"]}
    columns = {column["name"]: column for column in tables["users"]["columns"]}

    assert (document["version"], source["name"]) == (2, "lake")
    assert [[column["name"] for column in table["columns"]] for table in source["tables"]] == [
        contract.names for contract in CONTRACTS.values()
    ]
    assert tables["listens"]["config"]["meta"] == {
        "external_location": (
            f"read_parquet('{tmp_path}/it''s/lake/listens/*/*.parquet', hive_partitioning = true, union_by_name = true)"
        ),
        "key": ["user_id", "track_id", "listened_at"],
    }
    assert columns["user_id"]["data_tests"] == ["not_null"]
    assert columns["gender"]["data_tests"] == [
        "not_null",
        {"accepted_values": {"arguments": {"values": ["female", "male", "nonbinary", "unknown"]}}},
    ]
    assert "data_tests" not in columns["country"]
    assert columns["signed_up_at"]["data_type"] == "date"


def test_a_source_without_files_is_an_empty_relation(tmp_path: Path) -> None:
    """With the columns and types of the contract: DuckDB would refuse a pattern that no file matches."""
    document = msgspec.yaml.decode(exported(ContractFormat.DBT, Home(tmp_path)))
    (source,) = document["sources"]

    with duckdb.connect() as connection:
        for table in source["tables"]:
            columns = ", ".join(f"{column['name']} {column['data_type']}" for column in table["columns"])
            connection.execute(f"create or replace table expected ({columns})")
            found = connection.sql(f"from {table['config']['meta']['external_location']}")  # as dbt-duckdb writes it
            expected = connection.table("expected")
            assert found.fetchall() == []
            assert (found.columns, list(map(str, found.types))) == (expected.columns, list(map(str, expected.types)))


@pytest.mark.parametrize("form", ContractFormat)
def test_the_command_prints_or_writes_the_export(tmp_path: Path, form: ContractFormat) -> None:
    """It needs no data."""
    home, path = Home(tmp_path / "home"), tmp_path / "contracts.yaml"
    call = ["--home", str(home.path), "contracts", "--format", form.value]
    printed = CliRunner().invoke(main, call)
    written = CliRunner().invoke(main, [*call, "--out", str(path)])

    assert (printed.exit_code, written.exit_code) == (0, 0)
    assert printed.stdout == path.read_text() == exported(form, home)
