"""The server imports what the first page needs before somebody opens it."""

import subprocess
import sys

from .conftest import APP


def test_the_server_is_warm_before_its_first_visitor() -> None:
    """The modules of all pages, the database and the charts are loaded."""
    needed = ["altair", "duckdb", "polars", "dashboards.parts", "dashboards.ledger", "dashboards.home", "jsonschema"]
    warm = f"import sys, runpy; runpy.run_path({str(APP.with_name('serve.py'))!r})['warm_up']()"
    code = f"{warm}; print([name for name in {needed} if name not in sys.modules])"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[]"
