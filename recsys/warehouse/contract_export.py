"""
The data contracts in the formats of other tools: the Open Data Contract Standard and the sources of dbt.

Everything follows from `recsys/lake/contract.py`; meanings of columns come from the headers of the staging tables.
Sources: Open Data Contract Standard v3.1.0 (bitol.io); dbt source properties and data tests (docs.getdbt.com).
"""

from enum import StrEnum
from typing import Any

import msgspec

from recsys import __version__
from recsys.home import Home
from recsys.lake.contract import CONTRACTS, EARLIEST_DAY, EARLIEST_INSTANT, Contract
from recsys.lake.field import MAX_CHARS, Field, Kind
from recsys.warehouse.sqlfile import ColumnDoc, SqlFile, read_layers


class ContractFormat(StrEnum):
    """A format that the contracts are exported in."""

    ODCS = "odcs"
    DBT = "dbt"


_LOGICAL = {
    Kind.TEXT: "string",
    Kind.INTEGER: "integer",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp",
    Kind.DAY: "date",
    Kind.TEXTS: "array",
    Kind.REAL: "number",
    Kind.REALS: "array",
}
_PHYSICAL = {
    Kind.TEXT: "varchar",
    Kind.INTEGER: "bigint",
    Kind.BOOLEAN: "boolean",
    Kind.INSTANT: "timestamp with time zone",
    Kind.DAY: "date",
    Kind.TEXTS: "varchar[]",
    Kind.REAL: "double",
    Kind.REALS: "float[]",
}
_MEANT_BY = {"audio_features": "marts.track_audio"}  # the table whose header says what the columns mean


def exported(form: ContractFormat, home: Home) -> str:
    """Return the contracts of all raw tables as YAML."""
    layers = read_layers()
    document = _odcs(layers) if form is ContractFormat.ODCS else _dbt(layers, home)
    return msgspec.yaml.encode(document).decode()


def _odcs(layers: dict[str, SqlFile]) -> dict[str, Any]:
    return {
        "version": __version__,
        "apiVersion": "v3.1.0",
        "kind": "DataContract",
        "id": "recsys-lake",
        "name": "recsys lake",
        "status": "active",
        "description": {
            "purpose": "Listening, catalogue, audio and chart data as delivered, checked row by row at ingest.",
            "limitations": "Listener ids are pseudonyms. An invalid value of an optional column is stored as null.",
        },
        "schema": [_odcs_table(contract, layers) for contract in CONTRACTS.values()],
    }


def _odcs_table(contract: Contract, layers: dict[str, SqlFile]) -> dict[str, Any]:
    return {
        "name": contract.table,
        "physicalName": contract.table,
        "physicalType": "table",
        "logicalType": "object",
        "description": _meaning(contract, layers),
        "properties": [
            _odcs_column(contract, field, _column_doc(contract, field, layers)) for field in contract.fields
        ],
    }


def _odcs_column(contract: Contract, field: Field, doc: ColumnDoc | None) -> dict[str, Any]:
    is_key = field.name in contract.key
    column: dict[str, Any] = {
        "name": field.name,
        "logicalType": _LOGICAL[field.kind],
        "physicalType": _PHYSICAL[field.kind],
        "required": field.required,
        **({"primaryKey": True, "primaryKeyPosition": contract.key.index(field.name) + 1} if is_key else {}),
        **({"description": _described(doc)} if doc else {}),
        **({"classification": "personal"} if field.is_personal or field.name == "user_id" else {}),
    }
    if field.kind in (Kind.TEXTS, Kind.REALS):
        item = {"logicalType": "string" if field.kind is Kind.TEXTS else "number"}
        column["items"] = item | _options(_limits(field))
    else:
        column |= _options(_limits(field))
    if field.allowed:
        column["quality"] = [_allowed_values(field)]
    if field.is_binding:
        column["customProperties"] = [{"property": "invalidValueRefusesRow", "value": True}]
    return column


def _allowed_values(field: Field) -> dict[str, Any]:
    return {
        "type": "library",
        "metric": "invalidValues",
        "arguments": {"validValues": list(field.allowed)},
        "mustBe": 0,
        "unit": "rows",
    }


def _options(limits: dict[str, Any]) -> dict[str, Any]:
    return {"logicalTypeOptions": limits} if limits else {}


def _limits(field: Field) -> dict[str, Any]:
    """Return the limits of a column's values, or of each value in a list, by their names in the standard."""
    limits: dict[str, Any]
    match field.kind:
        case Kind.TEXT | Kind.TEXTS:
            longest = MAX_CHARS if field.kind is Kind.TEXTS else field.max_chars
            limits = {"maxLength": longest, "pattern": field.pattern or None}
        case Kind.DAY:
            limits = {"format": "yyyy-MM-dd", "minimum": str(EARLIEST_DAY)}
        case Kind.INSTANT:
            limits = {"format": "yyyy-MM-ddTHH:mm:ssZ", "minimum": f"{EARLIEST_INSTANT.isoformat()}Z"}
        case _:
            limits = {"minimum": field.low, "maximum": field.high}
    return {name: value for name, value in limits.items() if value is not None}


def _dbt(layers: dict[str, SqlFile], home: Home) -> dict[str, Any]:
    source = {
        "name": "lake",
        "description": "Raw tables as delivered; of a reference table every version, of which the newest batch counts.",
        "tables": [_dbt_table(contract, layers, home) for contract in CONTRACTS.values()],
    }
    return {"version": 2, "sources": [source]}


def _dbt_table(contract: Contract, layers: dict[str, SqlFile], home: Home) -> dict[str, Any]:
    return {
        "name": contract.table,
        "description": _meaning(contract, layers),
        "config": {"meta": {"external_location": _location(contract, home), "key": list(contract.key)}},
        "columns": [_dbt_column(field, _column_doc(contract, field, layers)) for field in contract.fields],
    }


def _location(contract: Contract, home: Home) -> str:
    """Return the files of a table as a relation of DuckDB, which refuses a pattern that no file matches."""
    folder = home.lake / contract.table
    if not any(folder.glob("*/*.parquet")):
        columns = ", ".join(f"cast(null as {_PHYSICAL[field.kind]}) as {field.name}" for field in contract.fields)
        return f"(select {columns} where false)"
    files = str(folder / "*" / "*.parquet").replace("'", "''")
    return f"read_parquet('{files}', hive_partitioning = true, union_by_name = true)"


def _dbt_column(field: Field, doc: ColumnDoc | None) -> dict[str, Any]:
    tests: list[Any] = ["not_null"] if field.required or field.default is not None else []
    if field.allowed:
        tests.append({"accepted_values": {"arguments": {"values": list(field.allowed)}}})
    return {
        "name": field.name,
        **({"description": _described(doc)} if doc else {}),
        "data_type": _PHYSICAL[field.kind],
        **({"data_tests": tests} if tests else {}),
    }


def _header(contract: Contract, layers: dict[str, SqlFile]) -> SqlFile | None:
    return layers.get(_MEANT_BY.get(contract.table, f"staging.{contract.table}"))


def _meaning(contract: Contract, layers: dict[str, SqlFile]) -> str:
    header = _header(contract, layers)
    kind = f"events by {contract.instant}" if contract.instant else f"newest row per {', '.join(contract.key)}"
    return f"{header.description if header else contract.table} ({kind})"


def _column_doc(contract: Contract, field: Field, layers: dict[str, SqlFile]) -> ColumnDoc | None:
    header = _header(contract, layers)
    return header.columns.get(field.name) if header else None


def _described(doc: ColumnDoc) -> str:
    return f"{doc.meaning} [{doc.unit}]" if doc.unit else doc.meaning
