"""Printed values and tables, and the printed metrics of recommenders."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from rich.console import Console

from recsys.cli.show import labels, models, music, quarantine, tables
from recsys.errors import InputError
from recsys.home import Home
from recsys.ingest.replay import ReplayReport
from recsys.lake.store import Batch
from recsys.ledger.audit import Attack
from recsys.matching.report import COLUMNS
from recsys.pipeline.plan import results
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, "-"),
        (True, "yes"),
        (1990, "1990"),
        (9_999, "9999"),
        (-12_345, "-12,345"),
        (Decimal(1234567), "1,234,567"),
        (3_063_217.4, "3,063,000"),
        (2026.0, "2026"),
        (0.0810821, "0.08108"),
        (0.000012345678, "0.00001235"),
        (0.0, "0"),
        (float("nan"), "NaN"),
        (["a", "b"], "a, b"),
        ("Song [live]", "Song [live]"),
    ],
)
def test_a_value_is_written_as_a_person_would(value: object, written: str) -> None:
    """Four significant digits, no exponent; separators from 10,000 on, so that years have none."""
    assert tables.cell(value) == written


def test_a_form_that_cannot_hold_the_answer_is_refused(tmp_path: Path) -> None:
    """The message is one line and says what to do."""
    rows = pl.DataFrame({"picture": [b"\xff"]})

    with pytest.raises(InputError, match=r"cannot be written as csv: .*\. Cast the column to text"):
        tables.answer(rows, "csv", tmp_path / "answer.csv")


def test_no_id_and_no_heading_is_cut_to_fit_the_screen(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Texts wrap down to their longest word; a table that still does not fit has a block of lines per row."""
    monkeypatch.setattr(tables, "out", Console(width=40, markup=False, emoji=False, highlight=False))
    ids = {"user_id": ["kxabm2g7ek76lv3r"], "track": ["trk_334567"], "why": ["because you played Canção Serena"]}

    tables.frame(pl.DataFrame(ids))
    fits = capsys.readouterr().out.splitlines()
    tables.frame(pl.DataFrame(ids | {"n": [1_234_567]}))
    blocks = capsys.readouterr().out.splitlines()

    assert [line.split() for line in fits] == [
        ["user_id", "track", "why"],
        ["kxabm2g7ek76lv3r", "trk_334567", "because"],
        ["you", "played"],
        ["Canção"],
        ["Serena"],
    ]
    assert max(map(len, fits)) <= 40
    assert [line.rstrip() for line in blocks] == [
        "user_id  kxabm2g7ek76lv3r",
        "track    trk_334567",
        "why      because you played Canção",
        "         Serena",
        "n        1,234,567",
    ]


def test_words_of_texts_are_broken_before_rows_become_blocks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A word of 30 letters in a title takes 12 columns if the ids need the others."""
    monkeypatch.setattr(tables, "out", Console(width=40, markup=False, emoji=False, highlight=False))
    rows = pl.DataFrame({"track_id": ["trk_00000000000000334567"], "title": ["The " + "w" * 30]})

    tables.frame(rows)
    printed = capsys.readouterr().out.splitlines()

    assert printed[1].split() == ["trk_00000000000000334567", "The"]
    assert max(map(len, printed)) <= 40
    assert "".join(line[26:].strip() for line in printed[1:]) == "The" + "w" * 30


USE = {
    "track_id": "youtube:dQw4w9WgXcQ",
    "title": "Donaudampfschifffahrtsgesellschaft",
    "artist_name": "Einstürzende Neubauten",
    "label_name": "Some Recordings of the North",
    "transformation": "speed +3.9%, pitch -1.0 semitones",
    **dict.fromkeys(("starts_s", "reference_starts_s"), 3_600.0),
    **dict.fromkeys(("ends_s", "reference_ends_s"), 3_725.0),
    "probability": 0.998,
}
BATCH = Batch("0123456789abcdef", 1, "listens", "plays of the year.csv", "00", "2026-01-31", 9_999_999, 9_999_999, 0, 0)


def test_the_ids_of_a_match_are_whole(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """On 80 columns, whatever the names of the recording."""
    monkeypatch.setattr(tables, "out", Console(width=80, markup=False, emoji=False, highlight=False))
    uses = pl.DataFrame([USE], schema=COLUMNS)

    tables.frame(uses.select(*music.use_columns()))
    printed = capsys.readouterr().out

    assert "youtube:dQw4w9WgXcQ" in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 80


def test_an_id_made_of_names_is_broken_between_words_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also where the table does not fit otherwise: then each row is a block."""
    monkeypatch.setattr(tables, "out", Console(width=60, markup=False, emoji=False, highlight=False))
    row = {"track_id": ["name:einstürzende neubauten/stella maris"], "artist_id": ["name:einstürzende neubauten"]}

    tables.frame(pl.DataFrame(row | {"other_track_id": row["track_id"], "n_plays": [1]}))
    printed = capsys.readouterr().out

    assert printed.count("name:einstürzende") == 3
    assert printed.count("neubauten/stella") == 2
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 60


def test_other_tables_fit_80_columns(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Groups of an attack, and rows that entered in a replay."""
    screen = Console(width=80, markup=False, emoji=False, highlight=False)
    for module in (tables, quarantine):
        monkeypatch.setattr(module, "out", screen)
    group = (("country", "Democratic Republic of the Congo"), ("age_band", "under 18"))

    labels.attacked([Attack("lb_0123456789", "n_listeners", (date(2026, 1, 5), date(2026, 1, 11)), group, 9, 0, 7, 8)])
    quarantine.replayed(ReplayReport([BATCH], 0, 0))
    printed = capsys.readouterr().out

    assert "lb_0123456789" in printed
    assert BATCH.batch in printed
    assert max(len(line.rstrip()) for line in printed.splitlines()) <= 80


def test_a_table_has_the_columns_that_fit_and_names_the_others(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On 40 columns there is room for two ids of 16 characters; a wide table prints all columns in one line."""
    monkeypatch.setattr(tables, "out", Console(width=40, markup=False, emoji=False, highlight=False))
    monkeypatch.setattr(tables, "note", Console(width=40, markup=False, emoji=False, highlight=False, stderr=True))
    rows = pl.DataFrame({name: [f"{name}{'x' * 15}"] for name in "abc"} | {"why": ["a text of some words"]})

    tables.answer(rows, "table", None)
    narrow, noted = capsys.readouterr()
    tables.answer(rows, "wide", None)
    wide, nothing_hidden = capsys.readouterr()

    assert [line.split() for line in narrow.splitlines()] == [["a", "b"], list(rows.select("a", "b").row(0))]
    assert noted.split() == ["2", "more", "columns,", "shown", "by", "--wide:", "c,", "why", "1", "rows"]
    assert wide.splitlines()[1] == "  ".join(rows.row(0))
    assert nothing_hidden.split() == ["1", "rows"]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run that exports als and compares it with lightfm and popular."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('recommender = "als"\ncompare = ["lightfm"]\n')
    return Run(Home(tmp_path), date(2026, 6, 30), read_recipe(recipe), "2026-06-30-abcdef01")


def judged(run: Run, lightfm_low: float, lightfm_high: float) -> None:
    """Write the metrics of three recommenders and a champion, lightfm's interval as given."""
    run.folder.mkdir(parents=True)
    lows_highs = {
        "champion": (0.5, 0.6),
        "lightfm": (lightfm_low, lightfm_high),
        "als": (0.07, 0.09),
        "popular": (0.01, 0.02),
    }
    rows = [
        {"recommender": name, "metric": "ndcg", "k": 10, "n_users": 50, "value": (low + high) / 2}
        | {"low": low, "high": high}
        for name, (low, high) in lows_highs.items()
    ]
    pl.DataFrame(rows).write_parquet(results()["run_metrics"].path(run))


def test_a_better_recommender_is_named(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """A recommender whose interval is above the exported one's is suggested; the champion never is."""
    judged(run, 0.10, 0.12)

    models.quality(run)

    last = capsys.readouterr().out.splitlines()[-1]
    remedy = 'To export it, set recommender = "lightfm" in recipe.toml'
    assert last == f"lightfm is significantly better on these days. {remedy}"


def test_a_better_mean_is_not_enough(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    """Overlapping intervals suggest nothing."""
    judged(run, 0.08, 0.14)

    models.quality(run)

    assert "significantly" not in capsys.readouterr().out
