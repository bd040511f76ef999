"""
Start Streamlit, and import meanwhile what the first page needs, so that its first visitor does not wait for it.

`recsys dashboard` runs this file with the arguments of `streamlit`.
"""

import gc
import inspect
import sys
import time
from threading import Thread

from streamlit import runtime
from streamlit.runtime import RuntimeState
from streamlit.web.cli import main

from recsys.installation.paths import ROOT

POLL_S = 0.01


def warm_up() -> None:
    """Load what the first page needs, with garbage collection off meanwhile: nothing that modules make is garbage."""
    gc.disable()
    try:
        _load()
    finally:
        gc.freeze()
        gc.enable()


def _load() -> None:
    """
    Import the modules of all pages, read the menu, and make a chart and a table, which load schema and Arrow.

    Then look at the stack, as Streamlit does at its first element: Python reads and keeps the path of every module.
    """
    sys.path.insert(0, str(ROOT))
    import polars as pl  # noqa: PLC0415 - in the thread

    from dashboards import charts, ledger, menu, saved_views  # noqa: F401, PLC0415

    menu.headers()

    rows = pl.DataFrame({"name": ["first"], "value": [1]})
    charts.bars(rows, "value", "name", unit="plays").to_dict()
    rows.to_arrow()
    inspect.stack()


def warm_up_after_start() -> None:
    """Wait until Streamlit listens, and then warm up: a browser reads its scripts meanwhile, which takes longer."""
    while not runtime.exists() or runtime.get_instance().state is RuntimeState.INITIAL:
        time.sleep(POLL_S)
    warm_up()


if __name__ == "__main__":
    Thread(target=warm_up_after_start, daemon=True).start()
    sys.exit(main())
