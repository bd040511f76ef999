"""The ledger in nightly runs: lines are the truth, written once, and only by runs that are published."""

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import Refused
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.ingest.undo import undo
from recsys.lake.store import Lake
from recsys.ledger.store import Ledger
from recsys.pipeline.run import Event, Run
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from ..nights import World

TRUTH = """
select
    tracks.label_id, daily.listen_date, daily.user_id, tracks.artist_id, daily.track_id, listeners.country,
    daily.n_plays, daily.n_skips
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
inner join marts.listener_profile as listeners on daily.user_id = listeners.user_id
where tracks.label_id is not null
"""


@pytest.fixture(scope="module")
def tables(finished: Run) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The lines, and the rows that they count."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        return warehouse.query("select * from marts.label_figures"), warehouse.query(TRUTH)


@pytest.mark.parametrize("measure", ["n_plays", "n_skips"])
@pytest.mark.parametrize("dimension", ["day", "week", "artist", "recording", "country"])
def test_every_line_is_the_sum_of_its_rows(
    tables: tuple[pl.DataFrame, pl.DataFrame], measure: str, dimension: str
) -> None:
    """Recomputed line by line from daily rows; each has 20 listeners, and no two make more than 80 % of it."""
    lines, rows = tables
    column = {"artist": "artist_id", "recording": "track_id", "country": "country"}.get(dimension)
    named = lines.filter(measure=measure, dimension=dimension).filter(
        pl.col("cell").is_not_null() if column else pl.lit(value=True)
    )
    assert named.height > 0
    played = rows.with_columns(value=pl.col(measure), cell=pl.col(column) if column else pl.lit(None, pl.String))
    found = named.join(played.filter(pl.col("value") > 0), on=["label_id", "cell"], nulls_equal=True, suffix="_row")
    inside = found.filter(pl.col("listen_date").is_between("from_day", "to_day"))
    by_user = inside.group_by("label_id", "from_day", "to_day", "cell", "user_id", "value").agg(
        pl.col("value_row").sum()
    )
    truth = by_user.group_by("label_id", "from_day", "to_day", "cell", "value").agg(
        n=pl.len(), top_two=pl.col("value_row").top_k(2).sum(), total=pl.col("value_row").sum()
    )

    assert truth.height == named.height
    assert truth.filter(pl.col("value") != pl.col("total")).is_empty()
    assert truth["n"].min() >= 20  # type: ignore[operator]
    assert truth.filter(pl.col("top_two") > 0.8 * pl.col("total")).is_empty()


def test_lines_of_days_cover_what_was_played(finished: Run, tables: tuple[pl.DataFrame, pl.DataFrame]) -> None:
    """The days of a label leave no gap, and end with the last day that may be closed, or with days that wait."""
    lines, rows = tables
    days = lines.filter(measure="n_plays", dimension="day").sort("label_id", "from_day")
    gaps = days.filter(
        pl.col("from_day") != pl.col("to_day").shift(1).over("label_id").dt.offset_by("1d"),
    )
    last = days.group_by("label_id").agg(pl.col("to_day").max())
    waiting = rows.join(last, on="label_id").filter(pl.col("listen_date") > pl.col("to_day"))

    assert gaps.is_empty()
    assert days["to_day"].max() == finished.as_of.replace(day=finished.as_of.day - 1)
    assert (
        waiting.filter(pl.col("listen_date") < finished.as_of)
        .group_by("label_id")
        .agg(pl.col("user_id").filter(pl.col("n_plays") > 0).n_unique())
        .filter(pl.col("user_id") >= 20)
        .is_empty()
    )


@pytest.mark.slow
def test_a_second_run_of_a_date_writes_no_line(finished: Run, world: World, copy_of: Callable[[Home], Home]) -> None:
    """Another recipe gives another run of the same date; its release shows the same lines."""
    home = copy_of(finished.home)
    before = Ledger(home).read()
    other = home.path / "other.toml"
    other.write_text(world.recipe.read_text().replace("epochs = 5", "epochs = 6"))

    run = world.run_nightly(home, recipe=other)

    assert run.run_id != finished.run_id
    assert Ledger(home).read().figures.equals(before.figures)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        assert warehouse.query("select count(*) from marts.label_figures").item() == before.figures.height


@pytest.mark.slow
def test_a_refused_run_writes_no_line(world: World, tmp_path: Path) -> None:
    """The ledger changes with the release."""
    home = Home(tmp_path / "home")
    strict = tmp_path / "strict.toml"
    strict.write_text(world.recipe.read_text() + "\n[gate]\nmin_last_day = 1.0\n")

    with pytest.raises(Refused):
        world.run_nightly(home, recipe=strict, days_before=1)

    assert Ledger(home).read().closings.is_empty()
    assert Ledger(home).pending() == []


@pytest.mark.slow
def test_a_damaged_ledger_closes_nothing(finished: Run, world: World, copy_of: Callable[[Home], Home]) -> None:
    """The run goes on with a warning, labels see the lines of the last release, and the operator can start anew."""
    home = copy_of(finished.home)
    n_lines = Ledger(home).read().figures.height
    next(Ledger(home).folder.glob("000001-*/label_figures.parquet")).unlink()
    other = home.path / "other.toml"
    other.write_text(world.recipe.read_text().replace("epochs = 5", "epochs = 6"))
    events: list[Event] = []

    run = world.run_nightly(home, recipe=other, tell=events.append)

    assert any("lake/label_figures cannot be used" in event.get("text", "") for event in events)
    assert registry.current_name(home) == run.run_id
    with Warehouse.open(home.published_warehouse()) as warehouse:
        assert warehouse.query("select count(*) from marts.label_figures").item() == n_lines


@pytest.mark.slow
def test_an_operator_withholds_and_audits_by_commands(finished: Run, copy_of: Callable[[Home], Home]) -> None:
    """The audit finds nothing; a voided week is withheld from the next release on; the doctor counts the lines."""
    home = copy_of(finished.home)
    lines = Ledger(home).read().figures
    label_id, other, *_ = lines.group_by("label_id").len().sort("len", "label_id")["label_id"]
    week = lines.filter(label_id=label_id, dimension="week", measure="n_plays").row(0, named=True)

    def run(*words: str) -> tuple[int, str]:
        done = CliRunner().invoke(main, ["--home", str(home.path), *words])
        return done.exit_code, done.output

    n_groups = []
    for labels in ([label_id], [other], [label_id, other]):
        status, audited = run("labels", "audit", *labels)
        assert (status, "0 narrowed down too far" in audited) == (0, True)
        n_groups.append(int(audited.split()[0].replace(",", "")))
    assert n_groups[2] == n_groups[0] + n_groups[1] > 0
    assert run("labels", "audit", label_id, "lb_none")[0] == 2
    assert run("labels", "void", label_id, str(week["from_day"]), str(week["to_day"]))[0] == 0
    assert run("build", "--date", str(finished.as_of))[0] == 0
    with Warehouse.open(home.published_warehouse()) as warehouse:
        withheld = warehouse.query("select distinct label_id from marts.label_figures where is_withheld").rows()
    assert withheld == [(label_id,)]
    assert f"{lines.height:,} lines, none missing or changed" in run("doctor")[1]
    assert run("labels", "restart")[1].startswith("InputError: The ledger is not damaged")


@pytest.mark.slow
def test_listening_that_is_taken_back_and_ingested_again_is_counted_once(world: World, tmp_path: Path) -> None:
    """No later line counts it: the lines are those of a home in which nothing was taken back."""
    homes = [Home(tmp_path / name) for name in ("plain", "undone")]
    world.run_nightly(homes[0], days_before=8)
    shutil.copytree(homes[0].path, homes[1].path, symlinks=True)
    listens = [entry for entry in Lake(homes[1]).batches() if entry.table == "listens"]
    batch = max(listens, key=lambda entry: entry.n_accepted)
    (file,) = world.raw.rglob(batch.source_file)
    undo(homes[1], batch.batch, today=world.last_day)
    ingest(homes[1], [file], today=world.last_day)
    for home in homes:
        world.run_nightly(home)
    plain, undone = (Ledger(home).read().figures.drop("closed_by_run") for home in homes)

    assert plain["closing_no"].n_unique() == 2
    assert undone.equals(plain)
