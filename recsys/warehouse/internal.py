"""Queries that the program itself runs on a warehouse file, in `sql/internal`; `recsys query` does not list them."""

from functools import cache

from recsys.installation.paths import SQL_FOLDER

FOLDER = SQL_FOLDER / "internal"


@cache
def internal_names() -> frozenset[str]:
    """Return the names of all internal queries."""
    return frozenset(path.stem for path in FOLDER.glob("*.sql"))


def internal_sql(name: str) -> str:
    """Return the text of an internal query, for `Warehouse.query`; its header documents the parameters."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
