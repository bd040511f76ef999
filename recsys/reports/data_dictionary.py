"""The data dictionary of a warehouse file as Markdown: every table with its grain, columns, units and sources."""

from recsys.reports.markdown import escaped
from recsys.warehouse.query import Warehouse, describe, tables


def data_dictionary(warehouse: Warehouse) -> str:
    """Return a section per table, in the order of their names."""
    names = sorted(tables(warehouse)["name"])
    return "\n".join(_section(warehouse, name) for name in names)


def _section(warehouse: Warehouse, name: str) -> str:
    about, columns = describe(warehouse, name)
    (table,) = about.iter_rows(named=True)
    reads = ", ".join(f"`{source}`" for source in table["reads"])
    rows = [
        f"| `{column['name']}` | {column['type']} | {escaped(column['unit'] or '')} | {escaped(column['meaning'])} |"
        for column in columns.iter_rows(named=True)
    ]
    head = [f"## {name}", "", escaped(table["description"]), "", f"One row per {table['grain']}. Made of {reads}.", ""]
    return "\n".join([*head, "| column | type | unit | meaning |", "|---|---|---|---|", *rows, ""])
