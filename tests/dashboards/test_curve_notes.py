"""Notes on curves: where they stand, what they say, and what a label's notes come from."""

from collections.abc import Iterator
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from dashboards import curve_notes, data
from dashboards.sentences import note_text
from recsys.home import Home

from .conftest import Open, failures
from .truth.notes import NotesTruth
from .truth.rows import Lake
from .walk import bullets_of, plain

DAY = date(2026, 6, 1)
COLUMNS = ("day", "kind", "title", "place", "n")
NoteRow = tuple[date, str, str, str, int]


@pytest.fixture(scope="module")
def lake(published_home: Home) -> Lake:
    """The raw rows of the home that pages show."""
    return Lake(published_home.path / "lake")


def listed(page: AppTest) -> list[str]:
    """Return the lines of the list of notes, without markup."""
    lists = [one.markdown for one in page.expander if one.label == "Notes on the curve"]
    return [plain(line) for some in lists for one in some for line in bullets_of(one.value)]


def drawn(page: AppTest) -> Iterator[pl.DataFrame]:
    """Yield the data of the first chart of a page."""
    for dataset in page.get("vega_lite_chart")[0].proto.datasets:
        yield pl.read_ipc_stream(BytesIO(dataset.data.data))


@pytest.mark.parametrize("is_label", [False, True], ids=["operator", "label"])
def test_each_note_is_a_mark_on_the_line(open_page: Open, label_id: str, is_label: bool) -> None:
    """It has the number and the text of the list, and on days that are drawn the height of the line."""
    page = open_page("artist", label=label_id if is_label else None)
    (notes,) = {str(frame.rows()): frame for frame in drawn(page) if "height" in frame.columns}.values()
    (line,) = {str(frame.rows()): frame for frame in drawn(page) if "plays_a_day" in frame.columns}.values()

    assert failures(page) == []
    assert [int(text.split(" ")[0]) for text in listed(page)] == notes["no"].to_list() == [*range(1, len(notes) + 1)]
    assert all(text in line for text, line in zip(notes["text"], listed(page), strict=True))
    x = "to_day" if is_label else "listen_date"
    same = notes.with_columns(pl.col("day").cast(pl.Date)).join(
        line.with_columns(pl.col(x).cast(pl.Date)), left_on="day", right_on=x
    )
    assert same.height > 0
    assert same["height"].to_list() == pytest.approx(same["plays_a_day"].to_list())


def test_every_kind_of_note_is_shown(open_page: Open, lake: Lake) -> None:
    """A release, a chart, a playlist and a milestone; of the artist with most of them."""
    truth, best = NotesTruth(lake), ""
    played = lake.rows.filter(pl.col("n_plays") > 0).group_by("artist_id").agg(pl.col("n_plays").sum())
    many = played.filter(pl.col("n_plays") > 1_500).drop_nulls().sort("artist_id")["artist_id"]
    for artist in many:
        tracks = lake.tracks.filter(artist_id=artist)
        recent = tracks.filter(pl.col("release_date") >= lake.first_day)
        if recent.height and [*truth.added(tracks)] and [*truth._charted(tracks)]:
            best = artist

    found = " ".join(listed(open_page("artist", artist=best)))

    for words in ("released", "Demo 100 at number", "added to the playlist", "1,000 plays since the data begin"):
        assert words in found


def test_a_label_reads_nothing_of_playlists(open_page: Open, lake: Lake, label_id: str) -> None:
    """Where the operator does: the ledger has no line about them."""
    plays = lake.rows.filter(label_id=label_id).group_by("artist_id").agg(pl.col("n_plays").sum())
    most_first = plays.drop_nulls().sort("n_plays", "artist_id", descending=[True, False])["artist_id"]
    added = next(artist for artist in most_first if has_adds(lake, artist))
    pages = [open_page("artist", label=label, artist=added) for label in (None, label_id)]

    assert ["playlist" in " ".join(listed(page)) for page in pages] == [True, False]


def has_adds(lake: Lake, artist: str) -> bool:
    """Return whether a recording of an artist was added to a playlist that no listener owns."""
    return any(True for _ in NotesTruth(lake).added(lake.tracks.filter(artist_id=artist)))


def test_without_a_figure_there_are_no_notes(open_page: Open, lake: Lake, label_id: str) -> None:
    """A label's recording with too few listeners has no curve, and so nothing on it."""
    own = lake.rows.filter(pl.col("n_plays") > 0, label_id=label_id)
    few = own.group_by("track_id").agg(pl.col("user_id").n_unique()).filter(pl.col("user_id") < 20)
    track = lake.tracks.join(few, on="track_id", how="semi").drop_nulls("title").sort("track_id")["track_id"][0]

    assert listed(open_page("track", label=label_id, track=track)) == []


def fake(monkeypatch: pytest.MonkeyPatch, *found: NoteRow) -> None:
    """Let queries return some notes, to an operator."""
    schema = {"day": pl.Date, "kind": pl.String, "title": pl.String, "place": pl.String, "n": pl.Int64}
    rows = pl.DataFrame(found, schema, orient="row")
    monkeypatch.setattr(data, "is_operator", lambda: True)
    monkeypatch.setattr(data, "run_query", lambda name, **_: rows if name == "public_notes" else rows.clear())


def notes_on(values: list[float | None], **options: Any) -> pl.DataFrame:
    """Return the notes on a curve of weeks that end on DAY, a week later, and so on."""
    days = [DAY + timedelta(days=7 * no) for no in range(len(values))]
    curve = pl.DataFrame({"to_day": days, "value": values}, {"to_day": pl.Date, "value": pl.Float64})
    return curve_notes.notes_on(curve, "artist", "a", x="to_day", y="value", **options)


def test_a_note_between_two_points_is_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """In proportion, also where the line is interrupted; before the first point it has that height."""
    days = [DAY - timedelta(days=3), DAY + timedelta(days=1), DAY + timedelta(days=14), DAY + timedelta(days=99)]
    fake(monkeypatch, *((day, "release", "T", "", 1) for day in days))

    found = notes_on([70, 0, None, 30], first=DAY - timedelta(days=6))

    assert found["day"].to_list() == days[:3]
    assert found["height"].to_list() == pytest.approx([70, 60, 15])
    assert notes_on([70, 0, None, 30])["day"].to_list() == days[1:3]


def test_notes_of_one_day_share_a_mark(monkeypatch: pytest.MonkeyPatch) -> None:
    """With both texts."""
    fake(monkeypatch, (DAY, "release", "A", "", 1), (DAY, "chart entry", "B", "Top", 3))

    assert notes_on([1])["text"].to_list() == ["“B” entered Top at number 3; “A” released"]


@pytest.mark.parametrize("values", [[], [None, None]])
def test_a_curve_without_a_value_has_no_notes(monkeypatch: pytest.MonkeyPatch, values: list[float | None]) -> None:
    """Nothing is drawn, so nothing is marked."""
    fake(monkeypatch, (DAY, "release", "A", "", 1))

    assert notes_on(values).is_empty()


@pytest.mark.parametrize(
    ("kind", "title", "place", "n", "text"),
    [
        ("release", "A", "", 1, "“A” released"),
        ("release", "A", "", 12, "“A” released (12 recordings)"),
        ("chart entry", "A", "Hot 100", 34, "“A” entered Hot 100 at number 34"),
        ("chart return", "A", "Hot 100", 9, "“A” returned to Hot 100 at number 9"),
        ("playlist", "A", "Room", 1, "“A” added to the playlist “Room”"),
        ("playlist", "A", "Room", 3, "3 recordings added to the playlist “Room”"),
        ("milestone", "", "since the data begin", 10_000, "10,000 plays since the data begin"),
    ],
)
def test_a_note_says_what_happened(kind: str, title: str, place: str, n: int, text: str) -> None:
    """In a few words."""
    assert note_text(dict(zip(COLUMNS[1:], (kind, title, place, n), strict=True))) == text
