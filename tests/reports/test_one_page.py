"""Reports of one page as PDF: the figures of the raw rows, nothing that a label may not see, one page for any names."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import UnknownIds
from recsys.pipeline.run import Run
from recsys.releases import registry
from recsys.reports.one_page import fonts
from recsys.reports.one_page.artist import artist_page
from recsys.reports.one_page.content import N_CARDS, N_GROUPS, N_NAMES, N_ROWS, Card, OnePage, Shares, Table
from recsys.reports.one_page.curve import curve
from recsys.reports.one_page.label import label_page, parts_table
from recsys.reports.one_page.pdf import MISSING, MISSING_NOTE, pdf
from recsys.reports.wording import ledger_note
from recsys.warehouse.query import Warehouse

from .pdf_text import read_pdf

LAST_SUNDAY = date(2026, 6, 28)
ROWS = """
select tracks.label_id, tracks.artist_id, daily.track_id, daily.user_id, daily.listen_date as day, daily.n_plays,
    daily.n_skips
from marts.interactions_daily as daily
inner join marts.track_features as tracks on daily.track_id = tracks.track_id
where tracks.label_id is not null and daily.n_plays + daily.n_skips > 0
"""
HOSTILE = (
    "#let x = 1 *bold* $x$ [a] @ref <lbl> // /* \\ `raw`",
    "<script>alert(1)</script> {{ 7 * 7 }}",
    "\u202egnos \x1b[2J evil\n\n= heading",
    "شركة الموسيقى",
    "Z\u0335\u0322\u031b" * 60,
    "W" * 300,
)


@pytest.fixture(scope="module")
def warehouse(finished: Run) -> Iterator[Warehouse]:
    """The operator's warehouse."""
    with Warehouse.open(finished.home.published_warehouse()) as opened:
        yield opened


@pytest.fixture(scope="module")
def rows(warehouse: Warehouse) -> pl.DataFrame:
    """Each listener's counts per recording and day."""
    return warehouse.query(ROWS)


@pytest.fixture(scope="module")
def label_id(rows: pl.DataFrame) -> str:
    """The label with the most plays."""
    return str(most_played(rows, "label_id"))


@pytest.fixture(scope="module")
def own(finished: Run, label_id: str) -> Iterator[Warehouse]:
    """This label's own file."""
    with Warehouse.open(registry.label_warehouse(finished.home, label_id)) as opened:
        yield opened


def most_played(rows: pl.DataFrame, column: str) -> object:
    """Return the value of a column with the most plays."""
    return rows.group_by(column).agg(pl.col("n_plays").sum()).sort("n_plays", column)[column][-1]


def week(rows: pl.DataFrame, n_before: int = 0, n: int = 1) -> pl.DataFrame:
    """Return the rows of n whole weeks, which end some weeks before the last one does."""
    last = LAST_SUNDAY - timedelta(weeks=n_before)
    return rows.filter(pl.col("day").is_between(last - timedelta(days=7 * n - 1), last))


def cards(page: OnePage) -> dict[str, Card]:
    """Return the cards of a page by name."""
    return {card.name: card for card in page.cards}


def test_a_labels_totals_are_those_of_the_raw_rows(own: Warehouse, rows: pl.DataFrame, label_id: str) -> None:
    """Plays, skips and listeners of the last closed week, the change, and four weeks, in the PDF."""
    of_label = rows.filter(label_id=label_id)
    now, before = week(of_label), week(of_label, 1)

    text = read_pdf(pdf(label_page(own))).text

    change = int(now["n_plays"].sum()) / int(before["n_plays"].sum()) - 1
    plays, month = now["n_plays"].sum(), week(of_label, n=4)["n_plays"].sum()
    assert f"Plays {plays:,} {change:+.1%} 22 to 28 June 4 weeks: {month:,}" in text
    assert f"Listeners {now.filter(pl.col('n_plays') > 0)['user_id'].n_unique():,} 22 to 28 June" in text
    assert f"Skips {now['n_skips'].sum():,} " in text
    assert ledger_note(20) in text


def test_a_labels_artists_and_recordings_are_those_of_the_raw_rows(
    own: Warehouse, rows: pl.DataFrame, label_id: str
) -> None:
    """Each row, and all rows together the label's plays of four weeks; recordings are the most played of them."""
    month = week(
        rows.filter(
            label_id=label_id,
        ),
        n=4,
    )
    names = dict(own.query("select artist_id, name from marts.artist_profile").iter_rows())
    titles = dict(own.query("select track_id, title from marts.track_features").iter_rows())
    by_artist = {names[key]: n for key, n in month.group_by("artist_id").agg(pl.col("n_plays").sum()).iter_rows()}
    by_track = [(titles[key], n) for key, n in month.group_by("track_id").agg(pl.col("n_plays").sum()).iter_rows()]

    artists, recordings = label_page(own).tables

    plays = {row[0]: int(row[1].replace(",", "")) for row in artists.rows}
    assert plays.pop("all others") + sum(plays.values()) == month["n_plays"].sum()
    assert plays.items() <= by_artist.items()
    listed = [(row[0], int(row[2].replace(",", ""))) for row in recordings.rows]
    assert 1 < len(listed) <= N_ROWS
    assert set(listed) <= set(by_track)
    assert listed == sorted(listed, key=lambda row: -row[1])


def test_an_artists_page_is_that_of_the_raw_rows(
    own: Warehouse, warehouse: Warehouse, rows: pl.DataFrame, label_id: str
) -> None:
    """For the label the last closed week, for an operator the last seven days, both with their change."""
    artist_id = str(most_played(rows.filter(label_id=label_id), "artist_id"))
    plays = rows.filter(artist_id=artist_id)
    of_days = plays.group_by("day").agg(pl.col("n_plays").sum())

    for_label, for_operator = cards(artist_page(own, artist_id)), cards(artist_page(warehouse, artist_id))

    now, before = int(week(plays)["n_plays"].sum()), int(week(plays, 1)["n_plays"].sum())
    assert (for_label["Plays"].value, for_label["Plays"].change) == (f"{now:,}", f"{now / before - 1:+.1%}")
    assert for_label["Listeners"].value == f"{week(plays).filter(pl.col('n_plays') > 0)['user_id'].n_unique():,}"
    last = date(2026, 6, 30)
    now, before = (
        int(of_days.filter(pl.col("day").is_between(end - timedelta(days=6), end))["n_plays"].sum())
        for end in (last, last - timedelta(days=7))
    )
    assert (for_operator["Plays"].value, for_operator["Plays"].change) == (f"{now:,}", f"{now / before - 1:+.1%}")


def test_what_the_ledger_leaves_out_is_never_zero(own: Warehouse) -> None:
    """Of every artist in the label's file: a figure, “too few” or a text instead of a table; and the note."""
    artist_ids = own.query("select artist_id from marts.artist_profile order by artist_id")["artist_id"]
    found = [artist_page(own, artist_id) for artist_id in artist_ids]

    shown = {card.value for page in found for card in page.cards}
    assert "too few" in shown
    assert not shown & {"0", "0.0%", "None", "nan", ""}
    assert any(page.curve is None and "under 20 listeners" in page.tables[1].nothing for page in found)
    for page in found:
        figures = [cell for table in page.tables for row in table.rows for cell in row[1:]]
        assert not set(figures) & {"0", "None", "nan"}
        assert page.notes[0] == ledger_note(20)


def test_a_labels_page_is_of_its_own_file(finished: Run, own: Warehouse, rows: pl.DataFrame, label_id: str) -> None:
    """An artist of another label is unknown to it; the operator's page says that it is not to be passed on."""
    (other,) = rows.filter(pl.col("label_id") != label_id).head(1)["artist_id"]
    args = ["--home", str(finished.home.path), "report", "artist", other, "--for", label_id]

    with pytest.raises(UnknownIds, match="in the label's file"):
        artist_page(own, other)
    assert CliRunner().invoke(main, args).exit_code == 2


def test_the_command_writes_one_page_with_its_fonts(finished: Run, label_id: str, tmp_path: Path) -> None:
    """Of a label for itself and for the operator; twice the same bytes."""
    written = []
    for number, options in enumerate(([], ["--ledger"], ["--ledger"])):
        path = tmp_path / f"{number}.pdf"
        args = ["--home", str(finished.home.path), "report", "label", label_id, *options, "--out", str(path)]
        result = CliRunner().invoke(main, args)
        assert (result.exit_code, result.stdout.strip()) == (0, str(path))
        written.append(path.read_bytes())

    documents = [read_pdf(content) for content in written]
    assert [document.n_pages for document in documents] == [1, 1, 1]
    assert all(document.has_all_fonts for document in documents)
    assert written[1] == written[2]
    assert ["not to be passed on" in document.text for document in documents] == [True, False, False]
    assert "data up to 30 June 2026" in documents[0].text


def full_page(name: str) -> OnePage:
    """Return a page with as many rows as a page can have, and one name everywhere."""
    days = pl.date_range(date(2026, 1, 1), date(2026, 6, 28), "7d", eager=True)
    values = pl.DataFrame({"day": days, "value": [None, *range(len(days) - 1)]})
    table = Table(name, [name[:9], "Artist", "Plays"], [[name, name, "1,234,567"]] * N_ROWS, "", name, texts=(1,))
    few = replace(table, rows=table.rows[:N_NAMES])
    shares = Shares(name, [(name, 1.5, "100%")] * N_GROUPS, "", name)
    card = Card(name, name, name, name, name)
    notes = [ledger_note(20), *[name] * 3]
    plays = curve(name, name, values)
    last_day = date(2026, 6, 30)
    return OnePage(
        "Artist", name, name, name, last_day, [card] * N_CARDS, plays, [table] * 2, [shares] * 4, [few] * 2, notes
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_any_name_is_text_on_one_page(name: str) -> None:
    """No name is read as markup, moves the figures to a second page, or brings control characters into the file."""
    document = read_pdf(pdf(full_page(name)))

    assert document.n_pages == 1
    assert document.text.count("1,234,567") == 2 * (N_ROWS + N_NAMES)
    assert not re.search("[\x00-\x08\x1b\u202e]", document.text)
    if name.isascii():
        assert name[:12] in document.text


def test_characters_without_a_font_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """They become a rectangle, and a note says so; without such characters there is neither."""
    monkeypatch.setattr(fonts, "_machine_fonts", list)

    lacking, covered = (read_pdf(pdf(replace(full_page("Name"), name=name))).text for name in ("日本 Ab", "Ελ Жи ō"))

    assert f"{MISSING}{MISSING} Ab" in lacking
    assert MISSING_NOTE in lacking
    assert "Ελ Жи ō" in covered
    assert MISSING not in covered


def test_a_voided_week_is_withheld_and_not_zero() -> None:
    """A row without plays, and all others if one of them has none."""
    days = {"first_date": [date(2026, 6, 1)] * 2, "last_date": [date(2026, 6, 28)] * 2}
    parts = pl.DataFrame(
        {"cell": ["a", None], "name": ["A", "all others"], "n_plays": [None, None], "change": None} | days
    )

    table = parts_table("Artists", "Artist", parts.with_columns(pl.col("n_plays").cast(pl.Int64)))

    assert [row[:2] for row in table.rows] == [["A", "withheld"], ["all others", "withheld"]]


def test_a_curve_has_gaps_and_round_ticks() -> None:
    """A null interrupts the line; one value is a point; without a value there is no curve."""
    days = [date(2026, 6, day) for day in (7, 14, 21, 28)]

    drawn = curve("Plays", "per day", pl.DataFrame({"day": days, "value": [10.0, None, 44.0, 60.0]}))

    assert drawn is not None
    assert drawn.lines == [[(0.0, 10 / 60)], [(2 / 3, 44 / 60), (1.0, 1.0)]]
    assert [label for _, label in drawn.y_ticks] == ["0", "20", "40", "60"]
    assert [label for _, label in drawn.x_ticks] == ["7 Jun", "14 Jun", "21 Jun", "28 Jun"]
    assert curve("Plays", "per day", pl.DataFrame({"day": days, "value": [None] * 4})) is None
