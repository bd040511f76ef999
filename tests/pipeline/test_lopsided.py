"""Homes of the smallest and most lopsided kinds: a run publishes, and says what it could not do."""

import re
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import InputError
from recsys.home import Home, locked
from recsys.ingest.pseudonym import listener_key, pseudonym
from recsys.pipeline import export
from recsys.pipeline.nightly import nightly
from recsys.pipeline.run import Event, Run
from recsys.pipeline.without_list import ALL_HEARD, NOTHING_LIKED
from recsys.recipe import Recipe, read_recipe
from recsys.releases import registry

from ..nights import RECIPE
from .lopsided import HEARD_MS, KINDS, LAST_DAY, write_inbox

WITH_LISTENS = [kind for kind, shape in KINDS.items() if shape.n_listeners]
QUICK = ["one track, one listener, one play", "everybody has heard everything"]


def run_kind(kind: str, folder: Path, recipe: Recipe) -> tuple[Run, list[Event]]:
    """Run a nightly run on a home of a kind; return it with its events."""
    events: list[Event] = []
    home, inbox = Home(folder / "home"), write_inbox(folder / "inbox", kind)
    with locked(home):
        run = nightly(home, inbox, as_of=LAST_DAY, today=LAST_DAY, recipe=recipe, tell=events.append)
    return run, events


def assert_everybody_is_counted(run: Run, events: list[Event], folder: Path) -> None:
    """Every listener of the inbox has a list, or is named in the export with the reason; nobody is in both."""
    listens = pl.read_csv(folder / "inbox" / "listens.csv")
    catalogue = set(pl.read_csv(folder / "inbox" / "tracks.csv")["track_id"]) if run_has_tracks(folder) else None
    key = listener_key(run.home.key_file)
    heard = {
        pseudonym(account, key): set(tracks)
        for account, tracks in listens.group_by("user_id").agg(pl.col("track_id").unique()).iter_rows()
    }
    n_catalogue = len(catalogue or set(listens["track_id"]))
    is_liked = (listens["ms_played"] == HEARD_MS).any()
    reasons = {
        listener: ALL_HEARD if len(tracks) == n_catalogue else NOTHING_LIKED
        for listener, tracks in heard.items()
        if len(tracks) == n_catalogue or not is_liked
    }
    lists = pl.read_parquet(run.export / "recommendations.parquet")
    named = pl.read_parquet(run.export / "listeners_without_list.parquet")
    manifest = export.validate(run.export)

    assert dict(named.iter_rows()) == reasons
    assert set(lists["user_id"]) == heard.keys() - reasons.keys()
    assert (manifest["n_listeners"], manifest["n_without_list"]) == (len(heard) - len(reasons), len(reasons))
    warned = [event["text"] for event in events if event["event"] == "warning" and "get no list" in event["text"]]
    assert len(warned) == bool(reasons)
    assert all(text.startswith(f"{len(reasons)} of {len(heard)} listeners get no list") for text in warned)
    assert registry.current_name(run.home) == run.run_id


def run_has_tracks(folder: Path) -> bool:
    """Return whether the inbox has a catalogue."""
    return (folder / "inbox" / "tracks.csv").exists()


@pytest.mark.parametrize("kind", QUICK)
def test_the_smallest_homes_publish(kind: str, tmp_path: Path) -> None:
    """Nobody can be evaluated or gets a list, and the run publishes all the same."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(RECIPE)

    run, events = run_kind(kind, tmp_path, read_recipe(recipe))

    assert_everybody_is_counted(run, events, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("kind", WITH_LISTENS)
def test_every_lopsided_home_publishes(kind: str, tmp_path: Path) -> None:
    """With the default recipe, each kind of home publishes, and names the listeners without a list."""
    run, events = run_kind(kind, tmp_path, read_recipe())

    assert_everybody_is_counted(run, events, tmp_path)


@pytest.mark.parametrize(
    ("kind", "has"),
    [("nothing", "nothing"), ("a catalogue without a listen", "8 rows of artists, 3 rows of labels, 40 ")],
)
def test_a_home_without_listens_is_told_so(kind: str, has: str, tmp_path: Path) -> None:
    """There is nothing to publish: the message says what the home has and what is missing."""
    with pytest.raises(InputError, match=f"has no listens, so no lists or reports can be made. It has {has}"):
        run_kind(kind, tmp_path, read_recipe())


@pytest.mark.slow
def test_unreadable_files_are_named_once_and_the_rest_is_published(tmp_path: Path) -> None:
    """Exit 2 after publication; the morning report and `recsys runs` name the file, and the next day is silent."""
    home, inbox = tmp_path / "home", write_inbox(tmp_path / "inbox", "one track, one listener, one play")
    (inbox / "README.txt").write_text("not a table\n")
    (tmp_path / "recipe.toml").write_text(RECIPE)
    words = ["nightly", "--inbox", str(inbox), "--recipe", str(tmp_path / "recipe.toml"), "--date"]
    report = home / "reports" / "morning" / "{}" / "index.md"

    first = CliRunner().invoke(main, ["--home", str(home), *words, str(LAST_DAY)])
    runs = CliRunner().invoke(main, ["--home", str(home), "runs"])
    for log in (home / "lake" / "_ledger").iterdir():  # a day passes
        log.write_text(re.sub('"ingested_on": "[^"]*"', f'"ingested_on": "{LAST_DAY}"', log.read_text()))
    later = CliRunner().invoke(main, ["--home", str(home), *words, str(LAST_DAY + timedelta(days=1))])

    said = "The release is published without 1 unreadable file: README.txt."
    assert (first.exit_code, later.exit_code) == (2, 0), later.output
    assert f"InputError: {said}" in first.stderr
    assert said not in later.stderr
    assert "could not read: README.txt" in runs.output
    assert "README.txt could not be read" in Path(str(report).format(LAST_DAY)).read_text()
    assert "README.txt" not in Path(str(report).format(LAST_DAY + timedelta(days=1))).read_text()
