"""The program's own questions to a warehouse file, in `sql/internal/<name>.sql`; people are not shown them."""

from functools import cache

from recsys.installation.paths import SQL_FOLDER

FOLDER = SQL_FOLDER / "internal"


@cache
def internal_names() -> frozenset[str]:
    """Return the names of all of them."""
    return frozenset(path.stem for path in FOLDER.glob("*.sql"))


def internal_sql(name: str) -> str:
    """Return the text of a question of the program's own, for `Warehouse.query`; its header names the parameters."""
    return (FOLDER / f"{name}.sql").read_text(encoding="utf-8")
