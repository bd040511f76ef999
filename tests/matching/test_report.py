"""A matching report: restricted to the tracks of one rights holder, and as a page."""

import json
import os
from dataclasses import replace
from html import unescape
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.audio.sandbox import Failure
from recsys.matching.alignment import Calibration
from recsys.matching.cue_sheets import Cue, CueSheet
from recsys.matching.report import MatchReport, write
from recsys.matching.uses import Use
from recsys.reports.matching import write_page

OWNERS = pl.DataFrame(
    {
        "audio_id": ["a", "b", "b"],
        "track_id": ["t1", "t2", "t3"],
        "title": ["One", "Two", "Two again"],
        "artist_name": ["Ann", "Bea", "Cid"],
        "label_name": ["Small Hours", "Lodestar", "Small Hours"],
        "isrc": None,
    }
)


@pytest.fixture
def report(calibration: Calibration) -> MatchReport:
    """A mix that uses two recordings, of which two labels own the second."""
    uses = [Use(audio_id, start, start + 9, 0, 9, 1.0, 0.99, True, 1, 0.9) for audio_id, start in (("a", 0), ("b", 10))]
    cues = [Cue(use, 0.0, np.empty(0, np.float32)) for use in uses]
    return MatchReport([CueSheet(Path("/somewhere/mix.mp3"), 20.0, cues)], OWNERS, calibration)


def test_a_holder_sees_their_own_uses_only(report: MatchReport) -> None:
    """The restricted report shows no recording of another label, and no other owner of a shared recording."""
    own = report.restricted_to(["t1", "t3"])

    assert own.table["track_id"].to_list() == ["t1", "t3"]
    assert {"Lodestar", "Bea"}.isdisjoint(own.owners["label_name"].to_list() + own.owners["artist_name"].to_list())
    assert "Lodestar" not in own.as_json()


def test_a_holder_without_tracks_sees_no_uses(report: MatchReport) -> None:
    """A report without a use of the tracks names the files, and has no rows."""
    nothing = report.restricted_to([])

    assert nothing.table.is_empty()
    assert len(nothing.sheets) == 1


def test_an_uploaded_file_is_reported_by_its_name(report: MatchReport) -> None:
    """The report contains the name of an uploaded file, but not its folder."""
    stored = json.loads(report.with_file_names_only().as_json())

    assert [file["file"] for file in stored["files"]] == ["mix.mp3"]
    assert len(stored["files"][0]["uses"]) == 3


def test_the_page_shows_uses_and_displays_names_exactly(report: MatchReport, tmp_path: Path) -> None:
    """Names of files and recordings and messages can neither load nor run anything."""
    name = """<script>x "{{ 7 * 7 }}" '{% raw %}' &amp;"""
    sheets = [replace(report.sheets[0], path=Path(name)), CueSheet(Path("b"), 0.0, [], Failure("crash", name))]
    owners = report.owners.with_columns(pl.lit(name).alias(column) for column in OWNERS.columns[1:])

    write_page(replace(report, sheets=sheets, owners=owners), {}, tmp_path / "page.html")

    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert unescape(page).count(name) == 2 + 3 * 5 + 2  # file and failure; five columns of three rows; two excerpts
    assert "<script" not in page
    assert page.count("<rect") == 2
    assert "0:10.0 to 0:19.0 of the file" in page


def test_what_was_searched_is_stated(report: MatchReport, tmp_path: Path) -> None:
    """The page and the JSON say for how long the difference of the channels was searched; a failure has no text."""
    searched = "the mean of the channels; for 12.0 s, where they cancel in it, their difference"
    sheets = [replace(report.sheets[0], side_s=12.0), CueSheet(Path("b"), 0.0, [], Failure("crash", "crashed"))]
    inverted = replace(report, sheets=sheets)
    write_page(inverted, {}, tmp_path / "page.html")

    assert [entry["searched"] for entry in json.loads(inverted.as_json())["files"]] == [searched, None]
    assert json.loads(report.as_json())["files"][0]["searched"] == "the mean of the channels"
    assert f"Searched: {searched}." in (tmp_path / "page.html").read_text()


def test_a_csv_report_has_no_formula_and_a_json_report_exact_texts(report: MatchReport, tmp_path: Path) -> None:
    """An apostrophe precedes a title that a spreadsheet would run."""
    title = '=HYPERLINK("http://outside.example","x")'
    owners = report.owners.with_columns(title=pl.lit(title))
    for form in ("csv", "json"):
        write(replace(report, owners=owners), form, tmp_path / form)

    assert set(pl.read_csv(tmp_path / "csv")["title"].drop_nulls()) == {f"'{title}"}
    assert json.dumps(title) in (tmp_path / "json").read_text(encoding="utf-8")


def test_a_query_file_whose_name_is_not_utf8_is_reported(report: MatchReport, tmp_path: Path) -> None:
    """Every form of the report has its escaped name."""
    path = Path(os.fsdecode(b"/somewhere/caf\xe9.mp3"))
    named = replace(report, sheets=[replace(report.sheets[0], path=path)])
    write_page(named, {}, tmp_path / "report.html")
    write(named, "csv", tmp_path / "report.csv")

    assert json.loads(named.as_json())["files"][0]["file"] == r"/somewhere/caf\xe9.mp3"
    assert len(json.loads(named.as_json())["files"][0]["uses"]) == 3  # of two recordings, one with two tracks
    assert r"caf\xe9.mp3" in (tmp_path / "report.html").read_text()
    assert r"caf\xe9.mp3" in (tmp_path / "report.csv").read_text()
