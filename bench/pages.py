"""
How long a page takes to answer, warm, on marts as large as 20 million listens make them; and another target's what-if.

The marts of a home are copied, every recording, artist and listener as often as it takes for so many listens, under ids
of its own: so days, weeks, countries and names to choose from are as many. Each page is asked several times, with other
choices in its boxes; timed is the run of its script, without the browser. Queries that a page's choices may miss are
asked by themselves, of the most played artist and the first add to a playlist. Bar: 95th percentile below 1 s; what-if
on 2,500 listeners x 500 candidates below 2 s.
"""

import logging
import os
import tempfile
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import duckdb
import numpy as np

from bench.options import benchmark, home_argument, size
from recsys.home import Home
from recsys.warehouse.query import Warehouse, run_query

if TYPE_CHECKING:
    from streamlit.testing.v1 import AppTest

APP = Path(__file__).parents[1] / "dashboards" / "app.py"
BAR_S, BAR_WHAT_IF_S = 1.0, 2.0
PLAYS_SQL = "select sum(n_listens) / 1e6 from full_one.marts.interactions_daily"
HEARD = ("track_audio", "track_tags", "track_vectors")  # as many as the index of sounds knows: copies were not heard
UNHEARD_SQL = (
    "update marts.track_features set tempo_bpm = null where track_id not in (select track_id from marts.track_audio)"
)
ONES_OWN = ("track_id", "artist_id", "other_artist_id", "user_id")  # ids that a copy has of its own
QUERIES = ("overlap", "playlist_effects", "returning", "trending_artists", "artist_changes", "what_changed")
BUSIEST_SQL = "select artist_id from marts.artist_profile order by n_plays desc nulls last, artist_id limit 1"
ADDED_SQL = "select track_id from marts.playlist_effect order by track_id limit 1"


def grown(warehouse: Path, path: Path, millions: float) -> float:
    """Write a warehouse whose marts are as large as so many listens make them; return how many."""
    with duckdb.connect(path) as connection:
        connection.execute(f"attach '{warehouse}' as full_one (read_only)")
        connection.execute(f"copy from database full_one to {path.stem}")
        counted = connection.execute(PLAYS_SQL).fetchone()
        listens = float(counted[0]) if counted else 0.0
        times = max(1, round(millions / listens))
        tables = connection.execute(
            "select table_name, list(column_name order by column_index) from duckdb_columns() "
            f"where database_name = '{path.stem}' and schema_name = 'marts' group by table_name"
        ).fetchall()
        for table, columns in tables:
            own = [column for column in columns if column in ONES_OWN]
            if own and table not in HEARD:
                changed = ", ".join(f"{column} || '-' || copy_no as {column}" for column in own)
                connection.execute(
                    f"insert into marts.{table} select full_rows.* replace ({changed}) from full_one.marts.{table} as "
                    f"full_rows cross join range(1, {times}) as copies (copy_no)"
                )
        connection.execute(UNHEARD_SQL)
    return listens * times


def asked(app: "AppTest", name: str, n_asked: int) -> list[float]:
    """Ask a page again and again, choosing something else each time; seconds of each run after the first."""
    app.switch_page(f"app_pages/{name}.py").run()
    seconds = []
    for turn in range(n_asked):
        boxes = [box for box in app.selectbox if box.options]  # a listener's copy has no candidates
        if boxes:
            box = boxes[turn % len(boxes)]
            box.select_index((turn * 7 + 1) % len(box.options))
        started = perf_counter()
        app.run()
        seconds.append(perf_counter() - started)
        if app.exception or (app.error and name != "sql"):
            raise SystemExit(f"{name} failed: {[each.value for each in app.error]}")
    return seconds


def asked_alone(path: Path, n_asked: int) -> dict[str, list[float]]:
    """Ask some queries again and again, of a warehouse file itself; seconds of each answer after the first."""
    seconds: dict[str, list[float]] = {name: [] for name in QUERIES}
    with Warehouse.open(path) as warehouse:
        known = {"artist_id": warehouse.query(BUSIEST_SQL).item(), "track_id": warehouse.query(ADDED_SQL).item()}
        of = {"overlap": "artist_id", "returning": "artist_id", "playlist_effects": "track_id"}
        for name in QUERIES:
            given = {of[name]: known[of[name]]} if name in of else {}
            run_query(warehouse, name, given)
            for _ in range(n_asked):
                started = perf_counter()
                run_query(warehouse, name, given)
                seconds[name].append(perf_counter() - started)
    return seconds


@benchmark(headline=r"95th percentile of \d+ answers (\d+\.\d{3}) s")
@home_argument
@size("--millions", default=20.0, smallest=0.01, help="Listens that the marts are grown to.")
@size("--asked", "n_asked", default=12, smallest=1, help="Answers that are timed of each page and query.")
def main(home: Path, millions: float, n_asked: int) -> None:
    """Print each page's times, and those of the what-if."""
    logging.disable(logging.WARNING)
    os.environ["RECSYS_HOME"] = str(home.absolute())
    published = Home(home.absolute()).published_warehouse()
    with tempfile.TemporaryDirectory() as folder:
        tell_pages(published, Path(folder) / "grown.duckdb", millions, n_asked)
    tell_what_if(published)


def tell_pages(published: Path, path: Path, millions: float, n_asked: int) -> None:
    """Grow a warehouse into a file at `path`, and print the times of pages and queries on it."""
    from streamlit import config
    from streamlit.testing.v1 import AppTest

    from dashboards import access
    from dashboards.menu import headers

    n_millions = grown(published, path, millions)
    viewer = access.Viewer("bench", None, path)
    access.require_viewer = access.viewer = lambda: viewer
    app = AppTest.from_file(str(APP), default_timeout=120).run()
    config.set_option("server.address", "127.0.0.1")
    times = {name: asked(app, name, n_asked) for name in headers()}
    for name, seconds in times.items():
        print(f"{name:<16} median {np.median(seconds):.3f} s, slowest {max(seconds):.3f} s")
    for name, seconds in asked_alone(path, n_asked).items():
        print(f"query {name:<18} median {np.median(seconds):.3f} s, slowest {max(seconds):.3f} s")
    high = float(np.quantile(np.concatenate(list(times.values())), 0.95))
    verdict = "met" if high < BAR_S else "not met"
    print(f"{n_millions:.1f} M listens: 95th percentile of {n_asked * len(times)} answers {high:.3f} s ({verdict})")


def tell_what_if(published: Path) -> None:
    """Print how long another target takes."""
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
