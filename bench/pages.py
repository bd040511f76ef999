"""
Response time of the dashboard pages on marts the size of 20 million listens, of the what-if, and of the first page.

The marts of a home are enlarged by copying every recording, artist and listener under new ids until they stand for the
requested number of listens; days, weeks, countries and names stay as they are. Each page is run several times with
different selections. Timed is the page's script, without the browser. Queries that the selections may miss are timed
directly, for the most played artist and the first playlist addition. Bar: 95th percentile below 1 s; what-if on 2,500
listeners x 500 candidates below 2 s.

The first page is timed with a browser, from the start of a server until all of Home is shown, on the marts as they are.
Bar: below 3 s.
"""

import logging
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from contextlib import suppress
from pathlib import Path
from time import perf_counter, sleep
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from bench.options import Missing, benchmark, home_argument, size
from recsys.home import Home
from recsys.warehouse.query import Warehouse, run_query

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[1] / "dashboards" / "app.py"
BAR_S, BAR_WHAT_IF_S, BAR_FIRST_S = 1.0, 2.0, 3.0
COMPLETE = "[data-testid=stApp][data-test-script-state=notRunning]"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PLAYS_SQL = "select sum(n_listens) / 1e6 from full_one.marts.interactions_daily"
AUDIO_MARTS = ("track_audio", "track_tags", "track_vectors")  # not copied: the vector index knows the originals alone
NO_AUDIO_SQL = (
    "update marts.track_features set tempo_bpm = null where track_id not in (select track_id from marts.track_audio)"
)
COPIED_IDS = ("track_id", "artist_id", "other_artist_id", "user_id")  # each copy gets new values
QUERIES = ("overlap", "playlist_effects", "returning", "trending_artists", "artist_changes", "what_changed")
TOP_ARTIST_SQL = "select artist_id from marts.artist_profile order by n_plays desc nulls last, artist_id limit 1"
ADDED_TRACK_SQL = "select track_id from marts.playlist_effect order by track_id limit 1"


def enlarge(warehouse: Path, path: Path, millions: float) -> float:
    """Copy a warehouse to `path`, its marts enlarged to about `millions` of listens; return the millions reached."""
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{warehouse}' as full_one (read_only)")
        connection.execute(f"copy from database full_one to {path.stem}")
        counted = connection.execute(PLAYS_SQL).fetchone()
        listens = float(counted[0]) if counted else 0.0
        n_copies = max(1, round(millions / listens))
        tables = connection.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            f"where database_name = '{path.stem}' and schema_name = 'marts' group by table_name"
        ).fetchall()
        for table, columns in tables:
            ids = [column for column in columns if column in COPIED_IDS]
            if ids and table not in AUDIO_MARTS:
                changed = ", ".join(f"{column} || '-' || copy_no as {column}" for column in ids)
                connection.execute(
                    f"insert into marts.{table} select full_rows.* replace ({changed}) from full_one.marts.{table} as "
                    f"full_rows cross join range(1, {n_copies}) as copies (copy_no)"
                )
        connection.execute(NO_AUDIO_SQL)
    return listens * n_copies


def page_seconds(app: "AppTest", name: str, n_runs: int) -> list[float]:
    """Run a page once to warm up, then several times with another selection each; return the seconds of each run."""
    app.switch_page(f"app_pages/{name}.py").run()
    seconds = []
    for number in range(n_runs):
        boxes = [box for box in app.selectbox if box.options]  # a copied listener has no candidates to select
        if boxes:
            box = boxes[number % len(boxes)]
            box.select_index((number * 7 + 1) % len(box.options))
        started = perf_counter()
        app.run()
        seconds.append(perf_counter() - started)
        if app.exception or (app.error and name != "sql"):
            raise SystemExit(f"page {name} failed: {[error.value for error in app.error]}")
    return seconds


def query_seconds(path: Path, n_runs: int) -> dict[str, list[float]]:
    """Run each query of QUERIES once to warm up, then several times; return the seconds of each run by query."""
    seconds: dict[str, list[float]] = {name: [] for name in QUERIES}
    with Warehouse.open(path) as warehouse:
        artist = {"artist_id": warehouse.query(TOP_ARTIST_SQL).item()}
        track = {"track_id": warehouse.query(ADDED_TRACK_SQL).item()}
        parameters = {"overlap": artist, "returning": artist, "playlist_effects": track}
        for name in QUERIES:
            run_query(warehouse, name, parameters.get(name, {}))
            for _ in range(n_runs):
                started = perf_counter()
                run_query(warehouse, name, parameters.get(name, {}))
                seconds[name].append(perf_counter() - started)
    return seconds


@benchmark(headline=r"95th percentile of \d+ runs (\d+\.\d{3}) s")
@home_argument
@size("--millions", default=20.0, smallest=0.01, help="Millions of listens that the marts are enlarged to.")
@size("--runs", "n_runs", default=12, smallest=1, help="Timed runs of each page and query.")
@size("--starts", "n_starts", default=5, smallest=1, help="Timed starts of the server.")
def main(home: Path, millions: float, n_runs: int, n_starts: int) -> None:
    """Print the times of the first page, of pages, queries and the what-if."""
    logging.disable(logging.WARNING)
    os.environ["RECSYS_HOME"] = str(home.absolute())
    published = Home(home.absolute()).published_warehouse()
    print_first_page(Home(home.absolute()), n_starts)
    with tempfile.TemporaryDirectory() as folder:
        print_pages(published, Path(folder) / "enlarged.duckdb", millions, n_runs)
    print_what_if(published)


def print_first_page(home: Home, n_starts: int) -> None:
    """Print the time from the start of the server until a browser shows all of Home."""
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise Missing("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        seconds, cpu_s = np.transpose([first_page_seconds(home, browser) for _ in range(n_starts)])
        browser.close()
    verdict = "met" if max(seconds) < BAR_FIRST_S else "not met"
    print(
        f"first page after a start: median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s ({verdict}); "
        f"the server's CPU time in it: median {np.median(cpu_s):.2f} s"
    )


def first_page_seconds(home: Home, browser: "Browser") -> tuple[float, float]:
    """Start a server and open its first page; return the seconds until all is shown, and the server's CPU time."""
    from recsys.cli import dashboard

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = dashboard.command(home, address="127.0.0.1", port=port)
    page = browser.new_context().new_page()
    cpu_before, started = _cpu_of_ended_processes(), perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            wait_until_it_listens(port)  # a browser that is refused tries again only after seconds
            page.goto(f"http://127.0.0.1:{port}", wait_until="commit")
            page.get_by_test_id("stMetric").first.wait_for(timeout=60_000)
            page.locator(COMPLETE).wait_for(timeout=60_000)
            seconds = perf_counter() - started
        finally:
            server.kill()
            page.context.close()
    return seconds, _cpu_of_ended_processes() - cpu_before


def wait_until_it_listens(port: int, *, limit_s: float = 60) -> None:
    """Return as soon as a server accepts connections; raise SystemExit if it does not within `limit_s`."""
    deadline = perf_counter() + limit_s
    while perf_counter() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        sleep(0.02)
    raise SystemExit(f"the server did not listen within {limit_s:.0f} s")


def _cpu_of_ended_processes() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def print_pages(published: Path, path: Path, millions: float, n_runs: int) -> None:
    """Write the enlarged warehouse to `path`; print the times of pages and queries on it."""
    from streamlit import config
    from streamlit.testing.v1 import AppTest

    from dashboards import access
    from dashboards.menu import headers

    n_millions = enlarge(published, path, millions)
    viewer = access.Viewer("bench", None, path)
    access.require_viewer = access.viewer = lambda: viewer
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    config.set_option("server.address", "127.0.0.1")
    times = {name: page_seconds(app, name, n_runs) for name in headers()}
    for name, seconds in times.items():
        print(f"{name:<16} median {np.median(seconds):.3f} s, slowest {max(seconds):.3f} s")
    for name, seconds in query_seconds(path, n_runs).items():
        print(f"query {name:<18} median {np.median(seconds):.3f} s, slowest {max(seconds):.3f} s")
    high = float(np.quantile(np.concatenate(list(times.values())), 0.95))
    verdict = "met" if high < BAR_S else "not met"
    print(f"{n_millions:.1f} M listens: 95th percentile of {n_runs * len(times)} runs {high:.3f} s ({verdict})")


def print_what_if(published: Path) -> None:
    """Print the time of the what-if for a new exposure target, over five targets."""
    from dashboards import access, data

    viewer = access.Viewer("bench", None, published)
    access.require_viewer = access.viewer = lambda: viewer
    data.what_if("artist_gender=female", 0.0)
    seconds = []
    for percent in (31, 35, 40, 45, 50):
        started = perf_counter()
        data.what_if("artist_gender=female", percent / 100)
        seconds.append(perf_counter() - started)
    verdict = "met" if max(seconds) < BAR_WHAT_IF_S else "not met"
    print(f"what-if: median {np.median(seconds):.2f} s, slowest {max(seconds):.2f} s ({verdict})")


if __name__ == "__main__":
    main()
