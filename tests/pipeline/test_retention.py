"""Limits of retention in nightly runs: the gate, the ledger of labels' figures, and homes of which nothing is left."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.ingest.settings import RetentionSettings
from recsys.lake.store import Lake
from recsys.ledger.store import Ledger
from recsys.pipeline.nightly import enforce_retention, nightly
from recsys.pipeline.publication import last_published
from recsys.pipeline.run import Run
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.warehouse.query import Warehouse

from ..nights import World

LIMITS = "[gate]\nmin_last_day = 0\n[retention]\nlistens_days = 60\nevents_days = 90\n"
OF_EVENTS = ("n_likes", "n_unlikes", "n_saves", "n_playlist_adds", "n_shares")


@pytest.mark.parametrize("kept", [{"listens": date(2026, 5, 2), "events": date(2026, 4, 2)}, {"listens": date.max}, {}])
def test_the_gate_compares_with_what_the_current_release_would_keep(finished: Run, kept: dict[str, date]) -> None:
    """Counted a second way, from the daily rows of the release."""
    release = registry.current(finished.home)
    assert release is not None
    found, whole = last_published(release, kept), last_published(release)
    assert found is not None
    assert whole is not None
    with Warehouse.open(release.warehouse) as warehouse:
        days, known_tracks, known_users, lists = (
            warehouse.query(query)
            for query in (
                "select * from marts.interactions_daily",
                "select track_id from marts.track_features where is_known",
                "select user_id from marts.listener_profile where is_known",
                "select distinct user_id from marts.recommendations",
            )
        )
    is_kept = [
        (row["n_listens"] > 0 and row["listen_date"] >= kept.get("listens", date.min))
        or (any(row[name] for name in OF_EVENTS) and row["listen_date"] >= kept.get("events", date.min))
        for row in days.iter_rows(named=True)
    ]
    left = days.filter(pl.Series(is_kept))
    lost_users, lost_tracks = (set(days[name]) - set(left[name]) for name in ("user_id", "track_id"))

    assert found.row_counts["marts.interactions_daily"] == left.height
    assert whole.row_counts["marts.track_features"] - found.row_counts["marts.track_features"] == len(
        lost_tracks - set(known_tracks["track_id"])
    )
    assert whole.row_counts["marts.listener_profile"] - found.row_counts["marts.listener_profile"] == len(
        lost_users - set(known_users["user_id"])
    )
    assert whole.n_listeners - found.n_listeners == len(lost_users & set(lists["user_id"]))


@pytest.mark.slow
def test_the_first_night_with_limits_is_published_and_closed_lines_stay(
    finished: Run, world: World, copy_of: Callable[[Home], Home], tmp_path: Path
) -> None:
    """Most rows are older. Old rows that are delivered again are not counted as late ones."""
    home, recipe, redelivered = copy_of(finished.home), tmp_path / "limits.toml", tmp_path / "again.csv"
    recipe.write_text(world.recipe.read_text() + LIMITS)
    before = Ledger(home).read().figures
    week = before.filter(measure="n_plays", dimension="week").sort("to_day", "value").row(0, named=True)
    with Warehouse.open(home.published_warehouse()) as warehouse:
        tracks = warehouse.query(
            "select track_id from marts.track_features where label_id = $label limit 40", {"label": week["label_id"]}
        )["track_id"]
    lines = [f"new_{n},{track},{week['to_day']}T10:00:00Z,300000" for track in tracks for n in range(40)]
    redelivered.write_text("\n".join(["user_id,track_id,listened_at,ms_played", *lines]) + "\n")
    assert ingest(home, [redelivered], today=world.last_day).batches[0].n_accepted == len(lines)

    run = world.run_nightly(home, days_before=-7, recipe=recipe)

    figures, kept_from = Ledger(home).read().figures, world.last_day - timedelta(days=59)
    rows = Lake(home).rows("listens").collect()
    assert registry.current_name(home) == run.run_id
    assert rows["listened_at"].dt.date().min() == kept_from
    assert rows.height < 0.7 * sum(
        entry.n_accepted + entry.n_expired for entry in Lake(home).batches() if entry.table == "listens"
    )
    assert figures.head(before.height).equals(before)
    new = figures.slice(before.height)
    assert new.filter(measure="n_plays", dimension="week").height > 0
    assert new.filter(pl.col("measure") == "n_plays", pl.col("from_day") < kept_from).is_empty()
    assert run.outcome("retention") == {
        "n_expired": sum(entry.n_expired for entry in Lake(home).batches()),
        "n_refused": 0,
        "kept_from": {"events": str(world.last_day - timedelta(days=89)), "listens": str(kept_from)},
    }


def test_a_home_whose_listens_are_all_older_says_so(tmp_path: Path) -> None:
    """The run ends with the number of removed rows; a date after today removes nothing early."""
    home, today, recipe = (
        Home(tmp_path / "home"),
        date(2026, 6, 30),
        Recipe("als", (), {}, retention=RetentionSettings(28)),
    )
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "listens.csv").write_text("user_id,track_id,listened_at\nann,t1,2026-06-01T10:00:00Z\n")
    ingest(home, [inbox], today=today)
    enforce_retention(Run.of(home, date(2027, 1, 1), recipe), date(2026, 6, 28))
    assert Lake(home).batches()[0].n_expired == 0

    with pytest.raises(InputError, match=r"rows older than the limits of \[retention\]: 1 of listens\. Put"):
        nightly(home, inbox, as_of=today, today=today, recipe=recipe)
    assert list(home.lake.glob("listens/*/*")) == []


def test_a_build_by_command_removes_old_rows_first(tmp_path: Path) -> None:
    """By the home's own recipe."""
    home, file = Home(tmp_path / "home"), tmp_path / "listens.csv"
    file.write_text("user_id,track_id,listened_at\nann,t1,2026-06-01T10:00:00Z\n")
    ingest(home, [file], today=date(2026, 6, 30))
    (home.path / "recipe.toml").write_text("[retention]\nlistens_days = 28\n")

    built = CliRunner().invoke(main, ["--home", str(home.path), "build", "--date", "2026-06-30"])

    assert built.exit_code == 2  # nothing is left to build from
    assert "retention" in built.output
    assert [entry.n_expired for entry in Lake(home).batches()] == [1]
    assert list(home.lake.glob("listens/*/*")) == []
