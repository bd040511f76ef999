"""The server imports what the first page needs before somebody opens it."""

import subprocess
import sys

from .conftest import APP


def test_the_server_is_warm_before_its_first_visitor() -> None:
    """The modules of all pages, the database and charts are loaded, and nothing that is slow and not needed."""
    needed = ["altair", "duckdb", "polars", "pyarrow", "jsonschema"]
    needed += [f"dashboards.{name}" for name in ("parts", "ledger", "home", "saved_views", "watching")]
    warm = f"import sys, runpy; runpy.run_path({str(APP.with_name('serve.py'))!r})['warm_up']()"
    others = "'torch', 'pandas', 'scipy', 'recsys.recipe', 'recsys.ingest.run'"
    code = f"{warm}; print([name for name in {needed} if name not in sys.modules], {{{others}}} & set(sys.modules))"

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "[] set()"
