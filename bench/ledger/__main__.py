"""The ledger of labels' figures against the truth: lines that are right, what labels see, directions, and an attack."""

from datetime import date
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import perf_counter
from typing import TYPE_CHECKING

import polars as pl

from bench.options import benchmark, home_argument, size
from recsys.home import Home

if TYPE_CHECKING:
    from recsys.warehouse.query import Warehouse

CELLS = {
    "day": None,
    "week": None,
    "artist": "artist_id",
    "recording": "track_id",
    "country": "country",
    "age_band": "age_band",
    "gender": "gender",
}
MEASURES = ("n_plays", "n_skips", "n_saves", "n_likes", "n_playlist_adds", "ms_played")
TRUTH = """
select
    tracks.label_id, tracks.artist_id, daily.track_id, daily.user_id, daily.listen_date, listeners.country,
    listeners.age_band, listeners.gender, daily.n_plays, daily.n_skips, daily.n_saves, daily.n_likes,
    daily.n_playlist_adds, daily.ms_played
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
where tracks.label_id is not null
"""
WINDOW = 28  # days of the closed weeks whose plays are compared with the weeks before


@benchmark(headline=r"lines equal to the truth: (\d+\.\d+) %")
@home_argument
@size("--labels", default=6, smallest=1, help="Labels with the fewest plays whose figures are attacked.")
@size("--pages", default=0, smallest=0, help="Labels with the fewest plays whose pages are compared with the rows.")
@size("--artists", default=5, smallest=1, help="Every n-th artist and recording of these is opened.")
@size("--copies", default=2, smallest=1, help="Copies of each listener in the log whose first closing is measured.")
def main(home: Path, labels: int, pages: int, artists: int, copies: int) -> None:
    """Compare the lines of a home whose ledger was closed once, as after `make demo`, with sums of its rows."""
    from recsys.warehouse.query import Warehouse

    with Warehouse.open(Home(home).published_warehouse()) as warehouse:
        figures = warehouse.query("select * from marts.label_figures where not is_withheld")
        rows = warehouse.query(TRUTH)
        names = rows["label_id"].unique().sort().to_list()
        wrong, withheld = _directions(warehouse, names, rows)
    n_lines, n_wrong = _wrong_lines(figures, rows)
    print(f"lines equal to the truth: {100 * (1 - n_wrong / max(n_lines, 1)):.2f} % of {n_lines:,}")
    plays = figures.filter(measure="n_plays", is_late=False)
    weeks = plays.filter(dimension="week")
    print(f"weekly total shown, median of labels: {100 * _shown(weeks, rows):.1f} %")
    for dimension in ("artist", "recording"):
        print(f"plays in named {dimension}s, median of labels and weeks: {100 * _named(plays, weeks, dimension):.1f} %")
    print(f"direction of {WINDOW} days wrong: {wrong} of {len(names)} labels; withheld: {withheld}")
    _attack(Home(home), rows, labels)
    if pages:
        _walk(Home(home), _fewest(rows, pages), artists)
    _first_closing(rows, copies)


def _first_closing(rows: pl.DataFrame, copies: int) -> None:
    """Print time and peak memory of the first closing of a log with each listener copied."""
    from recsys.ledger.close import Closing, close
    from recsys.ledger.lines import AUDIENCES, Lines
    from recsys.ledger.settings import LabelSettings

    copy = pl.DataFrame({"copy": range(copies)}).select(copy=pl.format("-{}", "copy"))
    everyone = rows.join(copy, how="cross").with_columns(
        user_id=pl.col("user_id") + pl.col("copy"), batch_no=pl.lit(1, pl.Int64)
    )
    everyone = everyone.with_columns(n_active_plays=pl.lit(0, pl.Int64), n_algorithmic_plays=pl.lit(0, pl.Int64))
    listeners = everyone.select("user_id", *AUDIENCES).unique("user_id")
    catalogue = rows.select("track_id", "artist_id", "label_id").unique("track_id")
    before, as_of = getrusage(RUSAGE_SELF).ru_maxrss, rows.select(pl.col("listen_date").max()).item()
    wall = perf_counter()
    closing = Closing(1, "bench", as_of, 1, LabelSettings())
    lines = close(
        everyone.drop("copy", *AUDIENCES, "label_id", "artist_id").lazy(), catalogue, listeners, Lines.of({}), closing
    )
    wall, peak = perf_counter() - wall, getrusage(RUSAGE_SELF).ru_maxrss
    print(
        f"first closing of {everyone.height:,} rows: {lines.figures.height:,} lines in {wall:.1f} s, peak memory "
        f"{peak / 1e6:.1f} GB, {before / 1e6:.1f} GB of it before"
    )


def _wrong_lines(figures: pl.DataFrame, rows: pl.DataFrame) -> tuple[int, int]:
    """Return the numbers of named lines, and of those that differ from the sum of their rows."""
    n_lines = n_wrong = 0
    for dimension, column in CELLS.items():
        cell = pl.col(column) if column else pl.lit(None, pl.String)
        for measure in MEASURES:
            lines = figures.filter(measure=measure, dimension=dimension, is_late=False)
            lines = lines.filter(pl.col("cell").is_not_null()) if column else lines
            played = rows.select("label_id", "listen_date", cell=cell, true=pl.col(measure)).filter(pl.col("true") > 0)
            by_day = played.group_by("label_id", "listen_date", "cell").agg(pl.col("true").sum())
            found = lines.join(by_day, on=["label_id", "cell"], nulls_equal=True)
            inside = found.filter(pl.col("listen_date").is_between("from_day", "to_day"))
            sums = inside.group_by("label_id", "from_day", "to_day", "cell", "value").agg(pl.col("true").sum())
            n_lines += lines.height
            n_wrong += lines.height - sums.filter(pl.col("value") == pl.col("true")).height
    return n_lines, n_wrong


def _shown(weeks: pl.DataFrame, rows: pl.DataFrame) -> float:
    """Return the median share of labels' plays, up to the last closed week of any label, that lines of weeks show."""
    true = rows.filter(pl.col("listen_date") <= weeks["to_day"].max()).group_by("label_id").agg(pl.col("n_plays").sum())
    shown = true.join(weeks.group_by("label_id").agg(pl.col("value").sum()), on="label_id", how="left")
    return float(shown.select((pl.col("value").fill_null(0) / pl.col("n_plays")).median()).item())


def _named(plays: pl.DataFrame, weeks: pl.DataFrame, dimension: str) -> float:
    period = ["label_id", "from_day", "to_day"]
    named = plays.filter(pl.col("dimension") == dimension, pl.col("cell").is_not_null())
    sums = named.group_by(period).agg(named=pl.col("value").sum())
    shares = weeks.join(sums, on=period, how="left").select(pl.col("named").fill_null(0) / pl.col("value"))
    return float(shares.to_series().median() or 0)  # type: ignore[arg-type]


def _directions(warehouse: "Warehouse", labels: list[str], rows: pl.DataFrame) -> tuple[int, int]:
    """Return how many labels' page states a wrong direction of plays per day in the last weeks, and how many none."""
    from recsys.warehouse.query import run_query

    wrong = withheld = 0
    for label_id in labels:
        found = run_query(warehouse, "label_totals", {"label": label_id, "days": str(WINDOW)}).filter(measure="n_plays")
        stated = found.filter(pl.col("change").is_not_null())
        withheld += stated.is_empty()
        for row in stated.iter_rows(named=True):
            now = _plays_per_day(rows, label_id, row["first_date"], row["last_date"])
            before = _plays_per_day(rows, label_id, row["first_date_before"], row["last_date_before"])
            wrong += (row["change"] > 0) != (now > before)
    return wrong, withheld


def _plays_per_day(rows: pl.DataFrame, label_id: str, first: date, last: date) -> float:
    inside = rows.filter(pl.col("label_id") == label_id, pl.col("listen_date").is_between(first, last))
    return float(inside["n_plays"].sum()) / ((last - first).days + 1)


def _attack(home: Home, rows: pl.DataFrame, n: int) -> None:
    from recsys.published.label_audit import audit_labels

    attacks = [attack for label_id in _fewest(rows, n) for attack in audit_labels(home, [label_id])]
    n_unsafe = sum(not attack.is_safe for attack in attacks)
    print(f"groups of up to nine listeners attacked: {len(attacks):,} of {n} labels; narrowed down too far: {n_unsafe}")


def _fewest(rows: pl.DataFrame, n: int) -> list[str]:
    """Return the labels with the fewest plays."""
    sums = rows.group_by("label_id").agg(pl.col("n_plays").sum())
    return sums.sort("n_plays", "label_id").head(n)["label_id"].to_list()


def _walk(home: Home, labels: list[str], every: int) -> None:
    """Print how many figures of pages differ from the rows, and between two pages."""
    from bench.ledger.pages import walk_labels

    counts = walk_labels(home, labels, every)
    print(f"figures on pages of {len(labels)} labels: {counts.n_figures:,} in {counts.n_views:,} views")
    for name, n, found in (
        ("differ from the rows", counts.n_figures, counts.different),
        ("stand on two pages and differ", counts.n_repeated, counts.disagreeing),
    ):
        print(f"figures that {name}: {len(found)} of {n:,}", *found[:20], sep="\n  ")


if __name__ == "__main__":
    main()
