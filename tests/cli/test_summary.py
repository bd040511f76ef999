"""The printed summary of a run: right figures, at most 80 columns, commands that work."""

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
from recsys.ledger.store import Ledger
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
    """The lines of the summary on 80 columns, printed from the folder beside the home."""
    monkeypatch.chdir(finished.home.path.parent)
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    runs.summary(finished)
    return capsys.readouterr().out.splitlines()


def joined(screen: list[str]) -> str:
    """The output as one line, so that wrapped texts are joined."""
    return re.sub(r"\s+", " ", " ".join(screen))


def section(screen: list[str], title: str) -> list[str]:
    """The lines below a title, up to an empty line."""
    below = screen[screen.index(title) + 1 :]
    return [line.strip() for line in below[: below.index("") if "" in below else None]]


def test_the_screen_fits_eighty_columns_and_cuts_no_heading(screen: list[str]) -> None:
    """No line is longer than 80 columns, and no heading is cut."""
    assert max(map(cell_len, screen)) <= WIDTH
    headings = next(line for line in screen if line.startswith("lists "))
    assert headings.split()[-6:] == ["%", "diversity", "genre", "gap", "lift", "Gini"]


def test_the_areas_count_what_lies_on_disk(finished: Run, screen: list[str]) -> None:
    """Refused rows, tables, lists and products equal counts of the files in the lake, the marts and the export."""
    lake, export = finished.home.lake, finished.export
    refused = sum(pl.read_parquet(path).height for path in (lake / "quarantine").rglob("*.parquet"))
    lists = pl.read_parquet(export / "recommendations.parquet")
    products = sum(pl.read_parquet(export / f"{name}.parquet").height for name in product_names())
    marts = [pl.read_parquet(path).height for path in (finished.home.path / "marts/current").glob("*.parquet")]
    text = joined(screen)

    assert f" {refused:,} refused," in text
    assert f"Lists {lists['user_id'].n_unique():,} listeners, {finished.recipe.export.k} tracks each" in text
    assert f"Products {len(product_names())} kinds of lists, {products:,} rows" in text
    assert f"Warehouse {len(marts)} tables, {sum(marts):,} rows" in text
    assert f"Labels {Ledger(finished.home).read().figures.height:,} figures of closed periods" in text
    assert "Release passed the gate" in text


def test_the_total_is_the_time_of_all_steps(finished: Run, screen: list[str]) -> None:
    """No step is missing; the log of the run has the time of each."""
    events = [json.loads(line) for line in (finished.folder / "log.jsonl").read_text().splitlines()]
    last = {event["step"]: event["seconds"] for event in events if event["event"] == "done"}

    assert f"Total {sum(last.values()):,.1f} s" in joined(screen)


def test_table_sizes_are_told_only_when_asked(finished: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """`--verbose` lists every table with its rows; otherwise none is listed."""
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
    """Listeners with most, with fewest and with no tracks are shown, each with the first tracks and reasons."""
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
    assert [sample.description.partition(",")[0] for sample in sampled] == [
        "longest history",
        "shortest history",
        *["no plays yet" for _ in silent],
    ]
    text = joined(screen)
    for user_id in expected:
        first = lists.filter(user_id=user_id, rank=1).row(0, named=True)
        assert f"Listener {user_id}: " in text
        assert f" 1 {first['title'] or first['track_id']}" in text
        assert first["reason"] in text


def test_files_lie_where_the_screen_says(finished: Run, screen: list[str]) -> None:
    """Each line is an existing path, relative to the current folder."""
    lines = section(screen, "Files")

    assert [line.split()[0] for line in lines][:2] == ["Warehouse", "Export"]
    assert all(Path(line.split(maxsplit=1)[1]).exists() for line in lines)


def test_what_is_to_be_tried_next_runs(finished: Run, screen: list[str]) -> None:
    """The printed commands run unchanged, except the dashboard, which would not end."""
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
    """Problems are printed one line per file; a running step has its own line."""
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
