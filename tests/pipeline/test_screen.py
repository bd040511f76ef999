"""The screen after a night, as a person reads it: right figures, nothing cut at 80 columns, commands that run."""

import json
import re
import shlex
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from recsys.audio.sandbox import Failure
from recsys.cli import main
from recsys.cli.show import events, music, runs
from recsys.home import Home
from recsys.library.scan import ScanReport
from recsys.pipeline import nightly
from recsys.pipeline.run import Run
from recsys.pipeline.summary import samples
from recsys.products.base import product_names
from recsys.recipe import read_recipe
from recsys.warehouse.query import Warehouse

from ..nights import LAST_DAY, result_table

WIDTH = 80


@pytest.fixture
def screen(finished: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> list[str]:
    """The summary of a night, on 80 columns, read from beside the home."""
    monkeypatch.chdir(finished.home.path.parent)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    runs.summary(finished)
    return capsys.readouterr().out.splitlines()


def joined(screen: list[str]) -> str:
    """The screen as one line, wrapped texts whole again."""
    return re.sub(r"\s+", " ", " ".join(screen))


def section(screen: list[str], title: str) -> list[str]:
    """The lines below a title, up to an empty one."""
    below = screen[screen.index(title) + 1 :]
    return [line.strip() for line in below[: below.index("") if "" in below else None]]


def test_the_screen_fits_eighty_columns_and_cuts_no_heading(screen: list[str]) -> None:
    """Headings, ids and commands stand whole in one line."""
    assert max(map(cell_len, screen)) <= WIDTH
    headings = next(line for line in screen if line.startswith("lists "))
    assert headings.split()[-6:] == ["%", "diversity", "genre", "gap", "lift", "Gini"]


def test_the_areas_count_what_lies_on_disk(finished: Run, screen: list[str]) -> None:
    """Rows refused, tables, lists and products, counted anew from the lake, the marts and the export."""
    lake, export = finished.home.lake, finished.export
    refused = sum(pl.read_parquet(path).height for path in (lake / "quarantine").rglob("*.parquet"))
    lists = pl.read_parquet(export / "recommendations.parquet")
    products = sum(pl.read_parquet(export / f"{name}.parquet").height for name in product_names())
    marts = [pl.read_parquet(path).height for path in (finished.home.path / "marts/current").glob("*.parquet")]
    told = joined(screen)

    assert f" {refused:,} refused," in told
    assert f"Lists {lists['user_id'].n_unique():,} listeners, {finished.recipe.export.k} tracks each" in told
    assert f"Products {len(product_names())} kinds of lists, {products:,} rows" in told
    assert f"Warehouse {len(marts)} tables, {sum(marts):,} rows" in told
    assert "Release passed the gate" in told


def test_table_sizes_are_told_only_when_asked(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Every table with its rows by --verbose, none without."""
    expected = {
        f"marts.{path.stem} {pl.read_parquet(path).height}"
        for path in (finished.home.path / "marts/current").glob("*.parquet")
    }

    runs.summary(finished)
    short = capsys.readouterr().out
    runs.summary(finished, verbose=True)
    long = {" ".join(line.replace(",", "").split()) for line in capsys.readouterr().out.splitlines()}

    assert expected <= long
    assert "marts.track_daily" not in short


def test_three_telling_listeners_are_shown(finished: Run, screen: list[str]) -> None:
    """With most tracks, with fewest, and without plays, as the profiles say; each with what heads the list and why."""
    profiles = pl.read_parquet(finished.home.path / "marts/current/listener_profile.parquet").sort("user_id")
    heard = profiles.filter(pl.col("n_tracks") > 0).sort("n_tracks", "n_plays", maintain_order=True)
    most = heard.filter(n_tracks=heard["n_tracks"][-1], n_plays=heard["n_plays"][-1])["user_id"][0]
    silent = profiles.filter(n_tracks=0)["user_id"][:1].to_list()
    expected = [most, heard["user_id"][0], *silent]
    tracks = pl.read_parquet(finished.home.path / "marts/current/track_features.parquet")
    lists = result_table(finished, "recommendations").join(tracks, on="track_id", how="left")

    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        sampled = samples(warehouse)

    assert [sample.user_id for sample in sampled] == expected
    assert [sample.about.partition(",")[0] for sample in sampled] == [
        "longest history",
        "shortest history",
        *["no plays yet" for _ in silent],
    ]
    told = joined(screen)
    for user_id in expected:
        first = lists.filter(user_id=user_id, rank=1).row(0, named=True)
        assert f"Listener {user_id}: " in told
        assert f" 1 {first['title'] or first['track_id']}" in told
        assert first["reason"] in told


def test_files_lie_where_the_screen_says(finished: Run, screen: list[str]) -> None:
    """Each line is a path that is there, from where the reader stands."""
    lines = section(screen, "Where things lie")

    assert [line.split()[0] for line in lines][:2] == ["Warehouse", "Export"]
    assert all(Path(line.split(maxsplit=1)[1]).exists() for line in lines)


def test_what_is_to_be_tried_next_runs(finished: Run, screen: list[str]) -> None:
    """As printed, word for word; all but the dashboard, which would not end."""
    lines = [shlex.split(line) for line in section(screen, "Try next")]

    assert ["dashboard"] in [words[3:] for words in lines]
    assert {words[3] for words in lines} >= {"find", "query", "explain", "describe"}
    for _program, *words in lines:
        if "dashboard" not in words:
            done = CliRunner().invoke(main, words)
            assert done.exit_code == 0, done.output
            assert done.stdout


def test_what_cannot_be_heard_reads_the_same_on_the_screen_and_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence a file; the step that goes on is named on its own line."""
    report = ScanReport(failures={"a.mp3": Failure("empty", "an empty file")}, damaged={"b.mp3": 1_500})
    monkeypatch.setattr("recsys.library.scan.scan", lambda *_args, **_settings: report)
    run = Run(Home(tmp_path), LAST_DAY, read_recipe(), "2026-06-30-abcdef01", events.event)

    nightly.scan_music(run, tmp_path, LAST_DAY)

    logged = [json.loads(line) for line in (run.folder / "log.jsonl").read_text().splitlines()]
    problems = [event["text"] for event in logged if event["event"] == "warning"]
    assert problems == ["a.mp3: an empty file", "b.mp3: 1.5 s of it could not be decoded"]
    shown = capsys.readouterr().err.splitlines()
    assert shown[:2] == [f"  warning: {problem}" for problem in problems]
    assert shown[2].split()[0] == "scan"
    music.scanned(report)
    assert capsys.readouterr().out.splitlines()[1:] == [f"  {problem}" for problem in problems]
