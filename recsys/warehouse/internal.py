"""The program's own questions to a warehouse file, in `sql/internal/<name>.sql`; people are not shown them."""

from recsys.installation.locations import SQL_FOLDER


def internal_sql(name: str) -> str:
    """Return the text of a question of the program's own, for `Warehouse.frame`; its header names the parameters."""
    return (SQL_FOLDER / "internal" / f"{name}.sql").read_text(encoding="utf-8")
