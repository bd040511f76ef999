"""The data dictionary of a warehouse as Markdown: each table with description, grain, sources, columns and units."""

from recsys.reports.markdown import escaped
from recsys.warehouse.query import Warehouse, describe, tables


def data_dictionary(warehouse: Warehouse) -> str:
    """Return one Markdown section per table, in order of name."""
    names = sorted(tables(warehouse)["name"])
    return "\n".join(_section(warehouse, name) for name in names)


def _section(warehouse: Warehouse, name: str) -> str:
    description, columns = describe(warehouse, name)
    (table,) = description.iter_rows(named=True)
    reads = ", ".join(f"`{source}`" for source in table["reads"])
    rows = [
        f"| `{column['name']}` | {column['type']} | {escaped(column['unit'] or '')} | {escaped(column['meaning'])} |"
        for column in columns.iter_rows(named=True)
    ]
    head = [f"## {name}", "", escaped(table["description"]), "", f"One row per {table['grain']}. Made of {reads}.", ""]
    return "\n".join([*head, "| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""])
