"""The public API: its list of names, what it costs to import, and that it answers as the tables do."""

import subprocess
import sys
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest
from typing_extensions import override

import recsys
from recsys.api import Evaluation, Matches, OpenHome, RankedRows, TableDescription, Training
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.pipeline.run import Run

from ..dashboards.hostile import NAMES
from ..documents import ROOT, python_api, rewritten
from ..nights import LAST_DAY, result_table

REFERENCE = ROOT / "docs" / "reference" / "python.md"


@pytest.fixture(scope="module")
def home(finished: Run) -> OpenHome:
    """Open the home of a nightly run."""
    return recsys.open(finished.home.path)


def test_the_public_names_are_those_that_are_committed() -> None:
    """A changed name, parameter, default or type shows in docs/reference/python.md, which `make docs` writes."""
    text = REFERENCE.read_text()

    assert rewritten(text, lambda _words: python_api()) == text


def test_import_recsys_is_fast() -> None:
    """It imports no other package, not even polars; the API imports none before a method is called."""
    code = "import sys, recsys; print([name for name in sys.modules if name.startswith('recsys')]); recsys.open('.'); "
    code += "print({name.partition('.')[0] for name in sys.modules} - {'__main__', 'recsys', *sys.stdlib_module_names})"

    loaded = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)

    assert loaded.stdout.splitlines() == ["['recsys']", "set()"]


def test_a_folder_that_is_missing_is_refused(tmp_path: Path) -> None:
    """A misspelt path raises SetupError when it is opened, a folder without a release when it is asked."""
    with pytest.raises(SetupError, match="There is no folder"):
        recsys.open(tmp_path / "hmoe")
    with pytest.raises(SetupError, match="no published warehouse yet"):
        recsys.open(tmp_path).tables()


def test_queries_read_only(home: OpenHome, tmp_path: Path) -> None:
    """Saved queries take numbers as parameters; SQL cannot write a file."""
    plays = home.sql("select track_id, sum(n_plays) as n from marts.track_daily group by track_id order by n desc")

    assert home.query("top_tracks", n=1, days=100_000)["n_plays"].item() == plays["n"][0]
    assert home.describe("track_daily").n_rows == home.sql("select count(*) from marts.track_daily").item()
    assert "top_tracks" in home.queries()["name"]
    with pytest.raises(UnknownIds):
        home.query("top_track")
    with pytest.raises(InputError):
        home.sql(f"copy (select 1) to '{tmp_path / 'file.csv'}'")
    assert list(tmp_path.iterdir()) == []


def test_lists_are_the_exported_ones(home: OpenHome, finished: Run) -> None:
    """For a listener, a track and an artist, in the order of the export's files."""
    lists = result_table(finished, "recommendations").sort("user_id", "rank")
    of_tracks = pl.read_parquet(finished.export / "similar_tracks.parquet").sort("track_id", "rank")
    of_artists = pl.read_parquet(finished.export / "similar_artists.parquet").sort("artist_id", "rank")
    user_id, track_id, artist_id = lists["user_id"][0], of_tracks["track_id"][0], of_artists["artist_id"][0]

    recommended = home.recommend(listener=user_id)

    assert recommended.rows["track_id"].to_list() == lists.filter(user_id=user_id)["track_id"].to_list()
    assert len(recommended) == finished.recipe.export.k
    similar = home.recommend(track=track_id).rows["similar_track_id"].to_list()
    assert similar == of_tracks.filter(track_id=track_id)["similar_track_id"].to_list()
    artists = home.recommend(artist=artist_id).rows["similar_artist_id"].to_list()
    assert artists == of_artists.filter(artist_id=artist_id)["similar_artist_id"].to_list()
    assert home.next([track_id], n=3).rows["track_id"].to_list() == similar[:3]
    for arguments in ({}, {"track": track_id, "listener": user_id}):
        with pytest.raises(InputError, match="exactly one"):
            home.recommend(**arguments)
    with pytest.raises(InputError, match="no list for the listener 'nobody'"):
        home.recommend(listener="nobody")


def test_an_untrained_run_is_refused(home: OpenHome) -> None:
    """The message names the command that is missing."""
    with pytest.raises(SetupError, match=f"Run: recsys train --date {LAST_DAY - LAST_DAY.resolution}"):
        home.evaluate(date.fromordinal(LAST_DAY.toordinal() - 1))


PLAIN = {  # tags and attributes of pictures
    *("section", "h4", "p", "br", "table", "thead", "tbody", "tr", "th", "td", "svg", "rect", "line", "title"),
    *("width", "height", "viewbox", "role", "preserveaspectratio", "x", "x1", "x2", "y", "y1", "y2"),
    *("stroke", "stroke-width", "fill"),
}


class Tags(HTMLParser):
    """Collect the names of tags and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs)}


def hostile_results() -> list[RankedRows | TableDescription | Evaluation | Training | Matches]:
    """Return a result of each kind whose texts are all hostile."""
    n = len(NAMES)
    ranked = pl.DataFrame({"rank": range(1, n + 1), "title": NAMES, "score": [n - place for place in range(n)]})
    metrics = {"metric": "ndcg", "k": 10, "value": 0.2, "low": 0.1, "high": 0.3, "n_users": 50}
    uses = {"starts_s": 1.0, "ends_s": 5.0, "title": NAMES, "artist_name": NAMES, "transformation": "none"}
    rows = pl.DataFrame({"file": NAMES, **uses, "probability": 0.9, "track_id": NAMES})
    return [
        RankedRows(NAMES[0], ranked, "score", NAMES),
        TableDescription(NAMES[0], NAMES[1], NAMES[2], 3, pl.DataFrame({"name": NAMES})),
        Evaluation(pl.DataFrame({"recommender": NAMES, **metrics})),
        Training(NAMES[0], NAMES, 1, 2, 3),
        Matches(rows, dict.fromkeys(NAMES, 10.0), dict.fromkeys(NAMES, NAMES[1])),
    ]


def test_pictures_escape_every_text() -> None:
    """Hostile titles, names and files become no tags, attributes or control characters of a notebook."""
    for result in hostile_results():
        page, tags = result._repr_html_(), Tags()
        tags.feed(page)
        assert tags.found <= PLAIN
        assert not {"\u202e", "\x1b", "\x07"} & {*page}


def test_bars_and_intervals_have_the_length_of_their_values() -> None:
    """The largest value fills the width, half of it half, nothing and negative values none."""
    rows = pl.DataFrame({"title": ["a", "b", "c", "d"], "score": [4.0, 2.0, None, -1.0]})
    metrics = pl.DataFrame(
        [("x", "ndcg", 10, 0.2, 0.1, 0.4, 9), ("y", "ndcg", 10, 0.1, None, None, 9)],
        ["recommender", "metric", "k", "value", "low", "high", "n_users"],
        orient="row",
    )

    bars, plot = RankedRows("list", rows, "score")._repr_html_(), Evaluation(metrics)._repr_html_()

    assert [bars.count(f'<rect width="{width}"') for width in ("80.0", "40.0", "0.0")] == [1, 1, 2]
    assert '<line x1="25.0" x2="100.0"' in plot
    assert '<line x1="25.0" x2="25.0"' in plot
    assert plot.index(">x<") < plot.index(">y<")
    assert "and 20 more rows" in RankedRows("long", pl.DataFrame({"n": range(120)}))._repr_html_()
