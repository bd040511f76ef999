"""Recordings found in uploads and in the catalogue by a night, by `recsys match`, and no longer after a takedown."""

import csv
import json
import shutil
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner, Result

from recsys.audio.training.distort import with_speed
from recsys.cli import main
from recsys.home import Home, locked
from recsys.lake.store import Lake
from recsys.matching import catalogue_index
from recsys.pipeline.nightly import build_and_publish, nightly
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.search.vector_index import Index
from recsys.synth.render import write_audio
from recsys.warehouse.query import Warehouse

from ..nights import RATE_HZ, World, catalogue_of, song

N_RECORDINGS = 6

pytestmark = pytest.mark.slow  # a whole night with sound


@pytest.fixture(scope="module")
def searched(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    """
    A night over six recordings and three uploads.

    The last recording is the first one again, encoded anew. The uploads: the second recording at 104 % speed after five
    seconds of silence; a stranger; a file that is no music.
    """
    inbox = tmp_path_factory.mktemp("inbox")
    for path in world.raw.iterdir():
        if path.is_file() and not path.name.startswith("audio_"):
            shutil.copy(path, inbox)
    ids = catalogue_of(inbox)["track_id"].unique().sort()[:N_RECORDINGS].to_list()
    (inbox / "music").mkdir()
    for seed, track_id in enumerate(ids[:-1]):
        write_audio(inbox / "music" / f"{track_id}.flac", song(seed), RATE_HZ)
    write_audio(inbox / "music" / f"{ids[-1]}.mp3", song(0), RATE_HZ)
    home = Home(tmp_path_factory.mktemp("searched") / "home")
    home.uploads.mkdir(parents=True)
    faster = np.stack([with_speed(side, 1.04) for side in song(1)])
    silence = np.zeros((2, 5 * RATE_HZ), np.float32)
    write_audio(home.uploads / "party.ogg", np.concatenate([silence, faster], axis=1), RATE_HZ)
    write_audio(home.uploads / "stranger.flac", song(77), RATE_HZ)
    (home.uploads / "no.mp3").write_text("no music")
    with locked(home):
        run = nightly(
            home,
            inbox,
            as_of=world.last_day,
            today=world.last_day + timedelta(days=1),
            recipe=read_recipe(world.recipe),
        )
    return run, ids


def answer(run: Run, query: str) -> pl.DataFrame:
    """Ask the published warehouse."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        return warehouse.query(query)


def call(run: Run, *words: str) -> Result:
    """Call the command line in this process."""
    words = ("--home", str(run.home.path), *words)
    return CliRunner().invoke(main, words, catch_exceptions=False, env={"COLUMNS": "200"})


def test_an_upload_that_uses_a_recording_is_found(searched: tuple[Run, list[str]]) -> None:
    """With where, how fast, how high, and for which night."""
    run, ids = searched

    found = answer(run, "select * from marts.match_candidates where source_kind = 'upload'").to_dicts()

    assert [(row["source_file"], row["track_id"]) for row in found] == [("party.ogg", ids[1])]
    assert found[0]["starts_s"] == pytest.approx(5, abs=1)
    assert found[0]["tempo_ratio"] == pytest.approx(1.04, abs=0.01)
    assert found[0]["pitch_semitones"] == pytest.approx(0.68, abs=0.35)
    assert found[0]["found_on"] == run.served_on


def test_the_catalogue_is_held_against_itself(searched: tuple[Run, list[str]]) -> None:
    """A recording that was delivered again is told as the same, once."""
    run, ids = searched

    found = answer(run, "from marts.match_candidates select * where source_kind = 'catalogue'").to_dicts()

    assert {(row["source_track_id"], row["track_id"]) for row in found} in ({(ids[0], ids[-1])}, {(ids[-1], ids[0])})
    assert [row["relation"] for row in found] == ["same"]


def test_what_was_looked_through_is_remembered(searched: tuple[Run, list[str]]) -> None:
    """Also what holds nothing, and what could not be heard."""
    run, _ = searched

    checks = answer(run, "from marts.match_checks").filter(source_kind="upload").sort("source_file")

    assert checks.select("source_file", "n_uses", "failure").rows() == [
        ("no.mp3", 0, "not_decodable"),
        ("party.ogg", 1, None),
        ("stranger.flac", 0, None),
    ]
    assert run.outcome("match") == {"n_uploads": 3, "n_recordings": 6, "n_found": 2}


def test_a_file_is_asked_about_in_every_form(searched: tuple[Run, list[str]], tmp_path: Path) -> None:
    """On the screen, as CSV, as JSON and as a page, with the same fields."""
    run, ids = searched
    upload = str(run.home.uploads / "party.ogg")

    shown = call(run, "match", upload).output
    for form in ("csv", "json", "html"):
        assert call(run, "match", upload, "--report", form, "--out", str(tmp_path / f"r.{form}")).exit_code == 0

    assert ids[1] in shown
    rows = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8")))
    told = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [row["track_id"] for row in rows] == [ids[1]]
    assert set(told["files"][0]["uses"][0]) | {"file", "duration_s"} == set(rows[0])
    assert [point["length_s"] for point in told["operating_points"]] == [3, 5, 10]
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 1
    assert "speed +3.9%" in page or "speed +4" in page
    assert "not that a right was infringed" in page
    assert "not at hand" not in page


def test_a_folder_is_asked_about_file_by_file(searched: tuple[Run, list[str]], tmp_path: Path) -> None:
    """What cannot be heard is told beside what was found."""
    run, _ = searched

    result = call(run, "match", str(run.home.uploads), "--report", "json", "--out", str(tmp_path / "all.json"))

    files = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["files"]
    assert result.exit_code == 0
    assert [(Path(each["file"]).name, len(each["uses"]), bool(each["failure"])) for each in files] == [
        ("no.mp3", 0, True),
        ("party.ogg", 1, False),
        ("stranger.flac", 0, False),
    ]


def test_a_folder_of_music_is_asked_without_a_catalogue(searched: tuple[Run, list[str]], tmp_path: Path) -> None:
    """In a home where nothing was ever done: recordings are called by their files."""
    run, ids = searched
    music = Path(json.loads(run.home.music_folders.read_text(encoding="utf-8"))[0]) / "music"
    bare = Run.of(Home(tmp_path / "bare"), run.as_of, run.recipe)

    told = call(bare, "match", str(run.home.uploads / "party.ogg"), "--against", str(music))
    page = call(
        bare,
        "match",
        str(run.home.uploads / "party.ogg"),
        "--against",
        str(music),
        "--report",
        "html",
        "--out",
        str(tmp_path / "r.html"),
    )

    assert f"{ids[1]}.flac ({ids[1]})" in told.output
    assert page.exit_code == 0
    assert "not at hand" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_what_is_not_there_is_refused(searched: tuple[Run, list[str]], tmp_path: Path) -> None:
    """A path that leads nowhere, and a home that has heard nothing."""
    run, _ = searched

    nowhere = call(run, "match", str(tmp_path / "nowhere"))

    assert nowhere.exit_code == 2
    assert "is neither an audio file nor a folder that contains any" in nowhere.output


def test_a_takedown_leaves_no_index_and_no_list(searched: tuple[Run, list[str]], tmp_path: Path) -> None:
    """At once from the indexes of every release, for good by what enters the lake, from lists by the next night."""
    run, ids = searched
    home = Home(tmp_path / "home")
    shutil.copytree(run.home.path, home.path, symlinks=True)
    copied = Run.of(home, run.as_of, run.recipe)
    audio_id = answer(run, f"select audio_id from marts.track_audio where track_id = '{ids[1]}'").item()

    result = call(copied, "takedown", ids[1], "--grounds", "court order")

    release = registry.current(home)
    assert result.exit_code == 0
    assert release is not None
    assert release.index is not None
    assert release.fingerprints is not None
    assert ids[1] not in set(Index.load(release.index).ids[Index.load(release.index)._is_there])
    assert audio_id not in catalogue_index.load(release.fingerprints).ids
    assert "no recording of the catalogue" in call(copied, "match", str(home.uploads / "party.ogg")).output
    later = Run.of(home, run.as_of, run.recipe)
    with locked(home):
        build_and_publish(later)
    after = registry.current(home)
    assert after is not None
    assert after.fingerprints is not None
    assert audio_id not in catalogue_index.load(after.fingerprints).ids
    with Warehouse.open(home.published_warehouse()) as warehouse:
        row = warehouse.query(
            f"select withdrawn_at, taken_down_at from marts.track_features where track_id = '{ids[1]}'"
        )
    assert None not in row.row(0)


def test_a_takedown_that_cannot_reach_an_index_is_refused_whole(
    searched: tuple[Run, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without what reads the indexes nothing enters the lake either: it would look done."""
    run, ids = searched
    before = Lake(run.home).fingerprint()
    monkeypatch.setitem(sys.modules, "faiss", None)

    result = call(run, "takedown", ids[1])

    assert result.exit_code == 3
    assert "pip install 'recsys[audio]'" in result.output
    assert Lake(run.home).fingerprint() == before


def test_an_unknown_track_is_not_taken_down(searched: tuple[Run, list[str]]) -> None:
    """A misspelt id is told, and nothing is done."""
    run, _ = searched

    result = call(run, "takedown", "trk_nobody")

    assert result.exit_code == 2
    assert "trk_nobody" in result.output


def test_the_next_night_looks_only_through_what_is_new(
    searched: tuple[Run, list[str]], world: World, tmp_path: Path
) -> None:
    """What was found stays; a recording is not held against the others twice."""
    run, _ = searched
    home = Home(tmp_path / "home")
    shutil.copytree(run.home.path, home.path, symlinks=True)
    shutil.copy(home.uploads / "stranger.flac", home.uploads / "same bytes.flac")
    empty = tmp_path / "empty"
    empty.mkdir()

    (tmp_path / "recipe.toml").write_text(world.recipe.read_text() + "[matching]\nrecordings = 7\n")
    with locked(home):
        later = nightly(
            home,
            empty,
            as_of=world.last_day,
            today=world.last_day + timedelta(days=1),
            recipe=read_recipe(tmp_path / "recipe.toml"),
        )

    assert later.outcome("match") == {"n_uploads": 0, "n_recordings": 0, "n_found": 0}
    assert answer(later, "from marts.match_candidates").height == 2
