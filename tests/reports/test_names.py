"""Titles and names in reports and on the screen are text, never markup or a formula."""

import re
from collections.abc import Callable
from datetime import date
from html import unescape
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from jinja2 import UndefinedError

from recsys.cli import main
from recsys.cli.show import tables
from recsys.feedback.loop import LoopSettings
from recsys.reports.feedback_loop import _plot, write_report
from recsys.reports.html import render
from recsys.reports.morning.findings import Finding, Section
from recsys.reports.morning.page import Report, html, markdown
from recsys.reports.morning.plots import picture
from recsys.warehouse.spreadsheet import csv_text

DAY = date(2026, 1, 31)
MARKUP = """<script>x "{{ 7 * 7 }}" '{% raw %}' {# x #} &amp;"""
OVERRIDE = "Love \u202egnos\u202c \x1b[2J"
HOSTILE = r"![p](https://outside.example/p.png) <img src=x> $\frac$ *x*"


def report_of(name: str) -> Report:
    """Return a report with this name as its reader, in its only finding and in its link."""
    section = Section("uses", "New matches", [Finding(f"{name} is in an upload.")], "None.")
    return Report(name, DAY, [section], {}, [(name, "labels/a/index")], note="")


def test_a_morning_reports_markdown_displays_names_exactly() -> None:
    """Names are escaped in title, findings and links."""
    report = markdown(report_of(HOSTILE))

    assert report.count(r"!\[p\](https:") == 3
    assert report.count(r"\<img src=x\> \$\\frac\$ \*x\*") == 3
    assert "![p]" not in report


def test_a_morning_reports_page_displays_names_exactly() -> None:
    """A name can neither load nor run anything."""
    report = html(report_of(MARKUP))

    assert unescape(report).count(MARKUP) == 4  # the title twice
    assert "<script" not in report


def test_a_feedback_loops_page_displays_names_exactly(tmp_path: Path) -> None:
    """Remedies, metrics and the description are text."""
    weeks = pl.DataFrame({"remedy": [MARKUP], "week": [1], "metric": [f"exposure {MARKUP}"], "value": [0.5]})

    page = write_report(tmp_path, weeks, LoopSettings(), MARKUP).read_text()

    assert unescape(page).count(MARKUP) == 3
    assert "<script" not in page


def test_a_page_without_one_of_its_values_is_an_error() -> None:
    """It is not shown with a gap."""
    with pytest.raises(UndefinedError, match="'report' is undefined"):
        render("morning.html")


def test_plots_never_read_a_name_as_a_formula() -> None:
    """An incomplete formula in a name would raise an error in a plot and stop the nightly run."""
    series = pl.DataFrame({"day": [date(2026, 1, 1), DAY], "value": [3.0, 2.0]})
    section = Section("drops", "Drops", [Finding("", r"$\frac$", series)], "None.", "plays per week")
    weeks = pl.DataFrame({"remedy": ["none"], "week": [1], "metric": [r"exposure genre=$\frac$"], "value": [0.5]})

    assert picture(section, DAY)
    _plot(weeks).canvas.draw()


def test_the_screen_displays_names_exactly(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets, colons, links and terminal commands in names have no effect."""
    name = "[red]Love[/red] [link=https://outside.example]x[/link] :heart:"

    tables.frame(pl.DataFrame({name: [name, "\x1b]8;;https://outside.example\x07Free\x1b[2J"]}))

    screen = capsys.readouterr().out
    assert screen.count(name) == 2
    assert "\ufffd]8;;https://outside.example\ufffdFree\ufffd[2J" in screen


@pytest.mark.parametrize("report", [markdown, html])
def test_reports_leave_out_characters_that_change_the_text_after_them(report: Callable[[Report], str]) -> None:
    """Commands for a terminal, and the override that shows the rest of a line from right to left."""
    assert re.findall("[\u202e\u202c\x1b]", report(report_of(OVERRIDE))) == []
    assert "Love \ufffdgnos\ufffd" in report(report_of(OVERRIDE))


FORMULAS = ["=HYPERLINK(1)", "+1", "-2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "'=1", "Love = 1", "", None]


@pytest.fixture
def formulas() -> pl.DataFrame:
    """Titles that a spreadsheet would run, in a column whose name it would run too; numbers; lists."""
    numbers = [float(-row) for row in range(len(FORMULAS))]
    return pl.DataFrame({"=title": FORMULAS, "change": numbers, "tags": [[text] for text in FORMULAS]})


def test_no_text_of_a_csv_file_is_a_formula(formulas: pl.DataFrame) -> None:
    """An apostrophe precedes it; other texts and numbers are unchanged."""
    rows = pl.read_csv(csv_text(formulas.drop("tags")).encode())

    expected = [f"'{text}" for text in FORMULAS[:7] if text]
    assert rows.columns == ["'=title", "change"]
    assert rows["'=title"].to_list() == [*expected, "'=1", "Love = 1", "", None]
    assert rows["change"].to_list() == formulas["change"].to_list()


def test_categories_of_a_csv_file_are_no_formulas_either() -> None:
    """They are texts."""
    rows = pl.DataFrame({"genre": ["=1"]}, schema={"genre": pl.Categorical})

    assert csv_text(rows) == "genre\n'=1\n"


def test_output_of_commands_has_formulas_in_no_csv_file_and_exact_texts_elsewhere(
    formulas: pl.DataFrame, tmp_path: Path
) -> None:
    """As written by `--csv`, `--json` and `--parquet`."""
    for form in ("csv", "json", "parquet"):
        tables.answer(formulas, form, tmp_path / form)

    assert pl.read_csv(tmp_path / "csv")["'=title"].to_list()[0] == "'=HYPERLINK(1)"
    assert pl.read_ndjson(tmp_path / "json")["=title"].to_list() == FORMULAS
    assert pl.read_parquet(tmp_path / "parquet").equals(formulas)


def test_messages_cannot_control_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The name of a file in an error, and in what a command prints."""
    path = tmp_path / "love\x1b[2J\u202e.csv"

    done = CliRunner().invoke(main, ["--home", str(tmp_path), "ingest", str(path)])
    tables.note.print(f"Not ingested: {path}", soft_wrap=True)

    assert done.exit_code != 0
    for text in (done.output, capsys.readouterr().err):
        assert "love\ufffd[2J\ufffd.csv" in text
        assert re.findall("[\x1b\u202e]", text) == []
