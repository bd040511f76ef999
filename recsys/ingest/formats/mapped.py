"""CSV, Parquet and JSON files in a form of one's own, read by a mapping of the home (see `recsys.ingest.mapping`)."""

from collections.abc import Iterator

import polars as pl

from recsys.errors import UnknownContent
from recsys.ingest import names
from recsys.ingest.mapping import Mapping
from recsys.ingest.source import Chunk, Source, table_of
from recsys.ingest.tables import column_names, read
from recsys.lake.contract import CONTRACTS
from recsys.lake.field import Field, Kind


def recognises(source: Source) -> bool:
    """Return whether the file has all columns of a mapping."""
    return bool(source.mappings) and _mapping(source) is not None


def chunks(source: Source, table: str | None) -> Iterator[Chunk]:
    """Read the mapped columns as rows of the mapping's table."""
    mapping = _mapping(source)
    if mapping is None:
        raise UnknownContent(
            f"{source.path} does not have all columns of the mapping. Name its own columns after '=', and separate "
            "the pairs by commas"
        )
    named_table = (
        "listens" if mapping.is_history else table_of(list(mapping.columns), source.path, table or mapping.table)
    )
    for rows, malformed in read(source, {own: name for name, own in mapping.columns.items()}):
        typed = rows.with_columns(_in_iso_form(field, mapping) for field in _times(named_table, rows))
        if mapping.is_history:
            user = pl.col("user_id") if "user_id" in rows.columns else pl.lit(source.account)
            yield from names.listens(typed.with_columns(user_id=user), malformed)
        else:
            yield Chunk(named_table, typed, malformed)


def _mapping(source: Source) -> Mapping | None:
    """Return the mapping that fits the file and has the most columns."""
    given = column_names(source)
    fitting = [mapping for mapping in source.mappings if mapping.fits(given)]
    return max(fitting, key=lambda mapping: len(mapping.columns), default=None)


def _times(table: str, rows: pl.DataFrame) -> list[Field]:
    kinds = (Kind.INSTANT, Kind.DAY)
    return [field for field in CONTRACTS[table].fields if field.kind in kinds and field.name in rows.columns]


def _in_iso_form(field: Field, mapping: Mapping) -> pl.Expr:
    """Read a time in the mapping's format; another one is marked, so that the contract does not read it otherwise."""
    text = pl.col(field.name)
    if mapping.time_format is None:
        return text
    times = text.str.strip_chars().str.to_datetime(mapping.time_format, time_unit="us", strict=False)
    if "%z" in mapping.time_format:
        times = times.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
    form = "%Y-%m-%d" if field.kind is Kind.DAY else "%Y-%m-%dT%H:%M:%S%.6fZ"
    return pl.coalesce(times.dt.to_string(form), text + pl.lit(" (not in the mapping's time format)"))
