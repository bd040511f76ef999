"""The server imports what the first page needs before somebody opens it."""

import os
import subprocess
import sys

from recsys.home import Home

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


def test_garbage_is_collected_again_when_the_server_is_warm() -> None:
    """Collection is off only while modules are imported."""
    code = f"import gc, runpy; runpy.run_path({str(APP.with_name('serve.py'))!r})['warm_up'](); print(gc.isenabled())"

    warm = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert warm.stdout.strip() == "True"


def test_a_table_needs_no_pandas(published_home: Home) -> None:
    """Pandas takes long to load, and Streamlit loads it where it may choose to send a table in parts."""
    code = """if True:
        import sys
        import polars as pl
        from dashboards import parts
        rows = pl.DataFrame({"artist_id": ["ar_1"], "artist_name": ["First"], "n_plays": [3]})
        parts.table(rows, mart="artist_profile", key="artists", title="Artists")
        print("pandas" in sys.modules)
    """
    environment = {**os.environ, "RECSYS_HOME": str(published_home.path), "STREAMLIT_SERVER_ADDRESS": "127.0.0.1"}

    loaded = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)

    assert loaded.stdout.strip() == "False"


def test_the_server_warms_up_only_once_it_listens() -> None:
    """It waits while Streamlit has no runtime, and while its runtime has not started."""
    code = f"""if True:
        import runpy
        from types import SimpleNamespace
        from streamlit import runtime
        initial, listening = runtime.RuntimeState.INITIAL, runtime.RuntimeState.NO_SESSIONS_CONNECTED
        states, looked = iter([None, initial, initial, listening]), []
        def exists():
            looked.append(next(states))
            return looked[-1] is not None
        runtime.exists, runtime.get_instance = exists, lambda: SimpleNamespace(state=looked[-1])
        names = runpy.run_path({str(APP.with_name("serve.py"))!r})
        wait = names["warm_up_after_start"]
        wait.__globals__["warm_up"] = lambda: print([state and state.name for state in looked])
        wait()
    """

    waited = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert waited.stdout.strip() == "[None, 'INITIAL', 'INITIAL', 'NO_SESSIONS_CONNECTED']"
