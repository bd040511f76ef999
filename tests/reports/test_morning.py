"""The morning reports of a run: who gets which report, and that a report shows only what its reader's file holds."""

import re
from dataclasses import replace
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import get_args

import polars as pl
import pytest
from typing_extensions import override

from recsys.audio.signal import Reason
from recsys.errors import BadRecipe
from recsys.ingest.replay import BATCH_REFUSED
from recsys.lake.contract import REASONS
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.reports.morning.findings import Finding, Section, _market_move, sections
from recsys.reports.morning.page import Report, html, markdown
from recsys.reports.morning.settings import MorningSettings
from recsys.reports.morning.write import folder_of
from recsys.reports.wording import REFUSALS
from recsys.warehouse.query import Warehouse

TALKATIVE = MorningSettings(days=120, breakout_z=5, drop_z=-0.5, drop_floor=1, n=10_000)


class _Texts(HTMLParser):
    """The text of a page, and the addresses that it would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.fetched = "", list[str]()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses."""
        self.fetched += [value or "" for name, value in attrs if name == "src"]

    @override
    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.words += data


def sections_of(path: Path, *, is_label: bool) -> list[Section]:
    """A report of a file with every section and no limits."""
    with Warehouse.open(path) as warehouse:
        return sections(warehouse, TALKATIVE, since=date(2000, 1, 1), is_label=is_label)


def test_the_night_writes_a_report_for_the_operator_and_each_label(finished: Run) -> None:
    """Reports exist as HTML and Markdown; the operator's links to all others."""
    folder, release = folder_of(finished.home, finished.as_of), registry.current(finished.home)
    assert release is not None
    labels = release.warehouses()[1:]

    assert {path.parent.name for path in folder.glob("labels/*/index.html")} == {path.stem for path in labels}
    assert {path.parent.name for path in folder.glob("labels/*/index.md")} == {path.stem for path in labels}
    assert (folder / "index.html").read_text().count('href="labels/') == len(labels) > 1
    assert (finished.outcome("morning") or {})["n_reports"] == len(labels) + 1


def test_a_label_reads_of_its_own_recordings_only(finished: Run) -> None:
    """Everything in a label's report is in the label's file, and is less than the operator's report."""
    release = registry.current(finished.home)
    assert release is not None
    of_all = _named(sections_of(release.warehouse, is_label=False))
    named = {path: _named(sections_of(path, is_label=True)) for path in release.warehouses()[1:]}

    assert any(named.values())
    for path, names in named.items():
        with Warehouse.open(path) as warehouse:
            own = set(warehouse.query(OWN_NAMES)["name"])
        assert names <= own
        assert of_all - own


OWN_NAMES = """
select coalesce(title, track_id) as name from marts.track_features union
select coalesce(name, artist_id) from marts.artist_profile
"""


def _named(found: list[Section]) -> set[str]:
    return {
        finding.name for section in found if section.key != "totals" for finding in section.findings if finding.name
    }


def of_kind(found: list[Section], key: str) -> Section:
    """Return the section with this key."""
    (section,) = (section for section in found if section.key == key)
    return section


def test_a_labels_report_begins_with_its_totals(finished: Run) -> None:
    """Plays of the last closed day and week are those of the raw rows; the operator's report has no such section."""
    release = registry.current(finished.home)
    assert release is not None
    with Warehouse.open(release.warehouse) as warehouse:
        days = warehouse.query(PLAYS_BY_DAY)
    (label_id,) = days.group_by("label_id").len().sort("len", "label_id").tail(1)["label_id"]
    plays = dict(days.filter(label_id=label_id).select("listen_date", "n_plays").iter_rows())
    week = [date(2026, 6, 22) + timedelta(days=n) for n in range(7)]

    totals = sections_of(registry.label_warehouse(finished.home, label_id), is_label=True)[0]

    of_day, of_week = (finding.text for finding in totals.findings)
    assert of_day.startswith(f"{plays[date(2026, 6, 29)]:,} plays on 29 June, ")
    assert of_day.endswith(f" compared with {plays[date(2026, 6, 22)]:,} plays before.")
    assert of_week.startswith(f"{sum(plays[day] for day in week):,} plays from 22 June to 28 June, ")
    assert "totals" not in {section.key for section in sections_of(release.warehouse, is_label=False)}


PLAYS_BY_DAY = """
select tracks.label_id, daily.listen_date, sum(daily.n_plays)::bigint as n_plays
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where tracks.label_id is not null
group by 1, 2
"""


def test_a_week_without_a_figure_is_no_drop(finished: Run) -> None:
    """A label's report names drops to a figure of its ledger, and no artist with fewer than 20 listeners."""
    release = registry.current(finished.home)
    assert release is not None
    found = [of_kind(sections_of(path, is_label=True), "drops") for path in release.warehouses()[1:]]
    drops = [finding for section in found for finding in section.findings]

    assert drops
    assert all(finding.series["value"][-1] is not None for finding in drops)
    assert not any("no plays" in drop.text for drop in drops)


def test_sentences_carry_the_numbers_of_their_marts(finished: Run) -> None:
    """Breakouts are ordered by the z-score of their newest day."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        found = warehouse.query("select track_id, listen_date, n_plays, z from marts.breakouts")
        every = sections(warehouse, TALKATIVE, since=date(2000, 1, 1), is_label=False)
        (breakouts,) = (section for section in every if section.key == "breakouts")
    newest = found.sort("listen_date").group_by("track_id").last().sort("z", descending=True)

    assert len(newest) > 5
    assert f"{newest['n_plays'][0]:,} plays" in breakouts.findings[0].text
    assert f"(z {newest['z'][0]:.1f})" in breakouts.findings[0].text


def test_what_no_file_describes_is_called_by_its_id(finished: Run) -> None:
    """An unknown artist or title is never printed as None."""
    with Warehouse.open(finished.home.published_warehouse()) as warehouse:
        found = sections(warehouse, TALKATIVE, since=date(2000, 1, 1), is_label=False)
        artists = warehouse.query("select artist_id from marts.artist_profile where name is null")["artist_id"]
    told_of = [finding for section in found for finding in section.findings]

    assert any(finding.name in set(artists) for finding in told_of)
    assert not [finding.text for finding in told_of if "None" in finding.text or finding.name == "None"]


def test_a_page_needs_nothing_beside_it_and_believes_no_title() -> None:
    """The page embeds its pictures, so it can be mailed; titles are escaped."""
    section = Section("breakouts", "Breakouts", [Finding("“<script>x</script>” rose")], "Nothing rose.", "plays")
    empty = replace(section, key="drops", findings=[])
    report = Report("A & B", date(2026, 6, 30), [section, empty], {"breakouts": b"png"}, [], note="A note.")
    page = _Texts()
    page.feed(html(report))

    assert "“<script>x</script>” rose" in page.words
    assert "Nothing rose." in page.words
    assert all(source.startswith("data:image/png;base64,") for source in page.fetched)
    assert len(page.fetched) == 1
    assert "![Breakouts: plays](breakouts.png)" in markdown(report)


@pytest.mark.parametrize("wrong", ["drop_z = 1.0", "n = 0", "use_probability = 2.0", "days = 0", "drop = 1"])
def test_thresholds_that_mean_nothing_are_refused(tmp_path: Path, wrong: str) -> None:
    """The message names the section."""
    path = tmp_path / "recipe.toml"
    path.write_text(f"[morning]\n{wrong}\n")

    with pytest.raises(BadRecipe, match=r"\[morning\]"):
        read_recipe(path)


def test_counts_that_rise_before_plays_are_reported(finished: Run) -> None:
    """The operator reads plays beside them; a label reads of its own recordings, without plays."""
    release = registry.current(finished.home)
    assert release is not None
    texts = {
        path: [finding.text for finding in section.findings]
        for path in release.warehouses()
        for section in sections_of(path, is_label=path != release.warehouse)
        if section.key == "signals"
    }
    of_all = texts.pop(release.warehouse)

    assert len(texts) > 0
    assert all("spins per day (radio) in the seven days to 30 June, " in text for text in of_all)
    assert all(text.endswith(" in the week before.") for text in of_all)
    of_labels = [text for found in texts.values() for text in found]
    assert of_labels
    assert not any("plays" in text for text in of_labels)


def test_moves_of_the_whole_market_are_reported(finished: Run) -> None:
    """The planted day on which everybody listened more, to the operator with its plays; to labels without."""
    release = registry.current(finished.home)
    assert release is not None
    of_all, *of_labels = [
        finding.text
        for path in release.warehouses()
        for section in sections_of(path, is_label=path != release.warehouse)
        if section.key == "market"
        for finding in section.findings
        if "on 13 May" in finding.text
    ]

    assert re.fullmatch(
        r"Plays of the whole market rose by 1\d\d% on 13 May, compared with 8 Wednesdays before, to [\d,]+ plays\.",
        of_all,
    )
    assert of_labels
    assert all(text.count("plays") == 0 and "it is counted without yours" in text for text in of_labels)


WEEK, WEDNESDAY = (date(2026, 5, 11), date(2026, 5, 17)), (date(2026, 5, 13),) * 2
OF_DAY, OF_WEEK = "on 13 May, compared with 8 Wednesdays before", "in the week to 17 May, compared with 8 weeks before"
WITHOUT = "it is counted without yours"


@pytest.mark.parametrize(
    ("period", "figures", "text"),
    [
        (WEDNESDAY, {"change": 0.18, "own_change": 0.2}, f"rose by 18% {OF_DAY}; {WITHOUT}, which rose by 20%."),
        (WEEK, {"change": -0.12, "own_change": 0.0}, f"fell by 12% {OF_WEEK}; {WITHOUT}, which stayed level."),
        (WEDNESDAY, {"change": 0.18, "own_change": None}, f"rose by 18% {OF_DAY}; {WITHOUT}."),
        (WEEK, {"change": 1.5, "n_plays": 12_345}, f"rose by 150% {OF_WEEK}, to 12,345 plays."),
    ],
)
def test_a_move_of_the_market_is_one_sentence(
    period: tuple[date, date], figures: dict[str, float | None], text: str
) -> None:
    """It says what rose, when, and that the label's own plays are not part of it."""
    row = {"from_day": period[0], "to_day": period[1], "n_weeks": 8, **figures}

    assert _market_move(row) == f"Plays of the whole market {text}"


def test_every_reason_of_a_refusal_has_words() -> None:
    """Those of rows, of files and of sound; none of them is a code."""
    codes = {*REASONS, "malformed_row", "conflicting_row", BATCH_REFUSED, "unreadable_file", *get_args(Reason)}
    codes |= {"timeout", "crash", "out_of_memory"}

    assert codes == REFUSALS.keys()
    assert not [words for words in REFUSALS.values() if "_" in words]


def test_a_refusal_is_reported_in_words(finished: Run) -> None:
    """Each file with refused rows, its reasons as the quarantine has them."""
    paths = sorted((finished.home.path / "lake" / "quarantine").rglob("*.parquet"))
    rows = pl.read_parquet(paths, hive_partitioning=False)
    expected = {
        f"{file}: {len(of_file):,} rows of {table} were refused "
        f"({', '.join(REFUSALS[code] for code in sorted(of_file['reason'].unique()))})."
        for (table, file), of_file in rows.group_by("source_table", "source_file")
    }

    found = sections_of(finished.home.published_warehouse(), is_label=False)
    (quality,) = (section for section in found if section.key == "quality")

    assert expected <= {finding.text for finding in quality.findings}
    assert expected


def test_an_operator_reads_of_adds_to_playlists_without_an_owner(finished: Run) -> None:
    """Counted from the raw rows; playlists of listeners are theirs alone, and labels read of none."""
    release = registry.current(finished.home)
    assert release is not None
    paths = sorted((finished.home.path / "lake" / "playlists").rglob("*.parquet"))
    rows = pl.read_parquet(paths, hive_partitioning=False).sort("batch_no", maintain_order=True)
    newest = rows.unique(["playlist_id", "position"], keep="last").filter(pl.col("user_id").is_null())
    days = newest.group_by("playlist_id", "track_id").agg(pl.col("added_at").dt.date().min())
    recent = days.filter(pl.col("added_at") > finished.as_of - timedelta(days=TALKATIVE.days))

    found = {
        path: [finding.subject for finding in section.findings]
        for path in release.warehouses()
        for section in sections_of(path, is_label=path != release.warehouse)
        if section.key == "playlists"
    }

    assert found.keys() == {release.warehouse}
    assert sorted(found[release.warehouse]) == sorted(("track", track) for track in recent["track_id"])
