"""Home says what the morning report says, and each line opens its evidence."""

import re
import shutil
from collections import defaultdict
from itertools import chain
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import duckdb
import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import data, home
from dashboards.menu import headers
from recsys.home import Home
from recsys.releases import registry
from recsys.reports.morning.findings import Finding, Section, sections
from recsys.reports.morning.page import Report, markdown
from recsys.reports.morning.settings import MorningSettings
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse, run_query

from ..nights import LAST_DAY
from .conftest import Open, failures, unmarked
from .truth.closings import Closings
from .truth.rows import Lake
from .walk import plain

VIEWERS = ("operator", "label")


def report_of(home: Home, label_id: str | None) -> list[Section]:
    """Return the sections of the report that the nightly run writes for a viewer."""
    file = registry.label_warehouse(home, label_id) if label_id else home.published_warehouse()
    with Warehouse.open(file) as warehouse:
        day = warehouse.query("select max(ingested_on) from marts.data_quality").item() if not label_id else LAST_DAY
        return sections(warehouse, MorningSettings(), since=day, is_label=label_id is not None)


def lines(page: AppTest) -> list[Any]:
    """Return the links among the lines of the page."""
    return [link.proto for link in page.get("page_link")]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_home_says_what_the_morning_report_says(
    open_page: Open, published_home: Home, label_id: str, viewer: str
) -> None:
    """Every finding but the totals, which are figures on the page, in the same words and order."""
    label = label_id if viewer == "label" else None
    report = report_of(published_home, label)

    page = open_page("overview", label=label)

    findings = [finding for section in report if section.key != "totals" for finding in section.findings]
    assert failures(page) == []
    assert [plain(link.label) for link in lines(page)] == [plain(finding.text) for finding in findings]
    written = markdown(Report("Ann", LAST_DAY, report, {}, [], ""))
    assert all(f"- {link.label}" in written for link in lines(page))


@pytest.mark.parametrize("viewer", VIEWERS)
def test_each_line_opens_its_evidence(open_page: Open, published_home: Home, label_id: str, viewer: str) -> None:
    """The page that a line opens exists, knows the id, and shows figures."""
    label = label_id if viewer == "label" else None
    opened = {(link.page, link.query_string) for link in lines(open_page("overview", label=label))}

    assert len(opened) > 5
    for name, query in sorted(opened)[::4]:
        page = open_page(name, label=label, **dict(parse_qsl(query)))
        assert failures(page) == []
        assert [*page.warning] == []
        assert [*page.metric, *page.dataframe, *page.get("vega_lite_chart")]


@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_line_of_a_chart_opens_the_chart(open_page: Open, label_id: str, viewer: str) -> None:
    """The page of the chart has the position that the line names."""
    label = label_id if viewer == "label" else None
    line = next(link for link in lines(open_page("overview", label=label)) if "of Demo 100" in link.label)
    title, rank = re.findall(r"“(.+)” by .+ is at number (\d+) of", plain(line.label))[0]

    page = open_page(line.page, label=label, **dict(parse_qsl(line.query_string)))

    assert failures(page) == []
    (chart,) = (table.value for table in page.dataframe if "moved" in table.value.columns)
    assert unmarked(chart[chart["rank"] == int(rank)]["title"]) == [title]


def test_curves_and_milestones_are_shown(open_page: Open, label_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A finding with a series has its curve in a table, whose name opens the same page as its line."""
    series = pl.DataFrame({"day": [LAST_DAY] * 3, "value": [1.0, None, 3.0]})
    found = [
        Section("breakouts", "Breakouts", [Finding("Rose.", "Song", series, ("track", "trk_1"))], "Nothing.", "plays"),
        Section("milestones", "Milestones", [Finding("Passed 1,000.", subject=("artist", "ar_1"))], "None."),
        Section("drops", "Unusual drops", [], "No artist dropped."),
    ]
    monkeypatch.setattr(data, "morning", lambda: found)

    page = open_page("overview", label=label_id)

    assert [(link.page, link.query_string) for link in lines(page)] == [
        ("track", "track=trk_1"),
        ("artist", "artist=ar_1"),
    ]
    (curves,) = (table.value for table in page.dataframe if "curve" in table.value.columns)
    assert curves.iloc[0]["track_id"] == "trk_1"
    assert [*curves.iloc[0]["curve"]] == [1.0, 3.0]
    assert "No artist dropped." in [plain(caption.value) for caption in page.caption]


@pytest.mark.parametrize("page", ["overview", "trends", "breakouts"])
@pytest.mark.parametrize("viewer", VIEWERS)
def test_a_release_of_an_older_version_is_shown(
    open_page: Open, published_home: Home, label_id: str, tmp_path: Path, *, viewer: str, page: str
) -> None:
    """After an upgrade or a rollback, what the release does not have is left out until the next run."""
    label, file = label_id if viewer == "label" else None, tmp_path / "older.duckdb"
    path = registry.label_warehouse(published_home, label) if label else published_home.published_warehouse()
    shutil.copyfile(path, file)
    with duckdb.connect(file) as connection:
        for mart in ("market_moves", "signal_rises"):
            connection.execute(f"drop table marts.{mart}")

    shown = open_page(page, label=label, file=file)

    assert failures(shown) == []
    assert shown.title[0].value == headers()[page].title
    assert [*shown.dataframe, *shown.info]


def test_a_label_reads_its_own_name(open_page: Open, published_home: Home, label_id: str) -> None:
    """In the line below the title."""
    with Warehouse.open(registry.label_warehouse(published_home, label_id)) as warehouse:
        name = warehouse.query(internal_sql("label_of_file")).item()

    assert plain(open_page("overview", label=label_id).markdown[0].value).startswith(f"{name}: what changed")


def test_every_section_has_an_icon_and_a_page() -> None:
    """Sections without ids lead to a page that labels may open."""
    assert {headers()[page].for_labels for page in home.PAGES.values()} == {True}
    assert home.PAGES.keys() <= home.ICONS.keys()
    assert all(re.fullmatch("[a-z_]+", icon) for icon in home.ICONS.values())


def test_milestones_are_those_of_the_raw_rows(published_home: Home, label_id: str) -> None:
    """Artists and recordings whose closed weeks add up to a new power of ten with the last one."""
    closings = Closings(Lake(published_home.path / "lake"))
    weeks = sorted(closings.weeks(label_id, "n_plays"))
    sums: dict[str, list[int]] = defaultdict(list)
    for week in weeks:
        of_artists = closings.cells(label_id, "n_plays", week, "artist")
        of_tracks = [closings.cells(label_id, "n_plays", week, "recording", artist) for artist in of_artists if artist]
        for cell, figure in chain(of_artists.items(), *(cells.items() for cells in of_tracks)):
            if cell is not None:
                sums[cell].append(figure.value if week == weeks[-1] else -figure.value)
    expected = set[tuple[str, int]]()
    for cell, values in sums.items():
        before, after = -sum(value for value in values if value < 0), sum(map(abs, values))
        milestone = 10 ** (len(str(after)) - 1)
        if before < milestone and after >= 10:
            expected.add((cell, milestone))

    with Warehouse.open(registry.label_warehouse(published_home, label_id)) as warehouse:
        found = run_query(warehouse, "label_milestones", {"least": "10", "n": "1000"})

    assert set(found.select("cell", "milestone").rows()) == expected
    assert expected
