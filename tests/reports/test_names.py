"""Titles and names in reports and on the screen are text: nothing in them is markup or a formula."""

from datetime import date

import polars as pl
import pytest

from recsys.cli.show import tables
from recsys.reports.feedback_loop import _plot
from recsys.reports.morning.findings import Finding, Section
from recsys.reports.morning.page import Report, html, markdown
from recsys.reports.morning.plots import picture

DAY = date(2026, 1, 31)
HOSTILE = r"![p](https://outside.example/p.png) <img src=x> $\frac$ *x*"


def report_of(name: str) -> Report:
    """A report whose only finding, reader and link have one name."""
    section = Section("uses", "New matches", [Finding(f"{name} is in an upload.")], "None.")
    return Report(name, DAY, [section], {}, [(name, "labels/a/index")], is_label=False)


def test_a_morning_reports_markdown_shows_names_letter_by_letter() -> None:
    """In its title, its findings and the names of its links."""
    written = markdown(report_of(HOSTILE))

    assert written.count(r"!\[p\](https:") == 3
    assert written.count(r"\<img src=x\> \$\\frac\$ \*x\*") == 3
    assert "![p]" not in written


def test_a_morning_reports_page_shows_names_letter_by_letter() -> None:
    """Nothing is fetched or run by a name."""
    written = html(report_of(HOSTILE))

    assert written.count("&lt;img src=x&gt;") == 4  # the title twice
    assert "<img" not in written


def test_plots_take_no_name_for_a_formula() -> None:
    """Half a formula is an error in a plot, which would end the night."""
    series = pl.DataFrame({"day": [date(2026, 1, 1), DAY], "value": [3.0, 2.0]})
    section = Section("drops", "Drops", [Finding("", r"$\frac$", series)], "None.", "plays a week")
    weeks = pl.DataFrame({"remedy": ["none"], "week": [1], "metric": [r"exposure genre=$\frac$"], "value": [0.5]})

    assert picture(section, DAY)
    _plot(weeks).canvas.draw()


def test_the_screen_shows_names_letter_by_letter(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets, colons and links in them are no markup, and the terminal obeys no command in them."""
    name = "[red]Love[/red] [link=https://outside.example]x[/link] :heart:"

    tables.frame(pl.DataFrame({name: [name, "\x1b]8;;https://outside.example\x07Free\x1b[2J"]}))

    screen = capsys.readouterr().out
    assert screen.count(name) == 2
    assert "\ufffd]8;;https://outside.example\ufffdFree\ufffd[2J" in screen
