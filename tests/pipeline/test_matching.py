"""Recordings found in uploads and in the catalogue by a run and by `recsys match`, and no longer after a takedown."""

import csv
import json
import re
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
def finished_matching(world: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, list[str]]:
    """
    A run over six recordings and five uploads.

    The last recording is the first one again, encoded anew. The uploads: the second recording at 104 % speed after five
    seconds of silence; a stranger; a file that is no music; one of an unknown kind; a link to nowhere.
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
    home = Home(tmp_path_factory.mktemp("matching") / "home")
    home.uploads.mkdir(parents=True)
    faster = np.stack([with_speed(side, 1.04) for side in song(1)])
    silence = np.zeros((2, 5 * RATE_HZ), np.float32)
    write_audio(home.uploads / "party.ogg", np.concatenate([silence, faster], axis=1), RATE_HZ)
    write_audio(home.uploads / "stranger.flac", song(77), RATE_HZ)
    (home.uploads / "no.mp3").write_text("no music")
    (home.uploads / "unknown.xyz").write_text("no music either")
    (home.uploads / "gone.mp3").symlink_to(home.uploads / "nowhere.mp3")
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
    """The rows of a query on the published warehouse."""
    with Warehouse.open(run.home.published_warehouse()) as warehouse:
        return warehouse.query(query)


def call(run: Run, *words: str) -> Result:
    """Call the command line in this process."""
    words = ("--home", str(run.home.path), *words)
    return CliRunner().invoke(main, words, catch_exceptions=False, env={"COLUMNS": "200"})


def test_an_upload_that_uses_a_recording_is_found(finished_matching: tuple[Run, list[str]]) -> None:
    """A use is stored with its offsets, tempo, pitch and date."""
    run, ids = finished_matching

    found = answer(run, "select * from marts.match_candidates where source_kind = 'upload'").to_dicts()

    assert [(row["source_file"], row["track_id"]) for row in found] == [("party.ogg", ids[1])]
    assert found[0]["starts_s"] == pytest.approx(5, abs=1)
    assert found[0]["tempo_ratio"] == pytest.approx(1.04, abs=0.01)
    assert found[0]["pitch_semitones"] == pytest.approx(0.68, abs=0.35)
    assert found[0]["found_on"] == run.served_on


def test_the_catalogue_is_searched_for_its_own_recordings(finished_matching: tuple[Run, list[str]]) -> None:
    """A recording that was delivered twice is reported once, as the same recording."""
    run, ids = finished_matching

    found = answer(run, "from marts.match_candidates select * where source_kind = 'catalogue'").to_dicts()

    assert {(row["source_track_id"], row["track_id"]) for row in found} in ({(ids[0], ids[-1])}, {(ids[-1], ids[0])})
    assert [row["relation"] for row in found] == ["same"]


def test_the_same_tune_is_found_in_the_catalogue(finished_matching: tuple[Run, list[str]]) -> None:
    """Both recordings of one song name each other, in the same key and tempo; each recording was searched."""
    run, ids = finished_matching

    found = answer(run, "from marts.tune_candidates").filter(pl.col("track_id").is_in([ids[0], ids[-1]]))
    same = found.filter(pl.col("other_track_id").is_in([ids[0], ids[-1]])).sort("track_id")

    assert same.select("track_id", "other_track_id").rows() == [(ids[0], ids[-1]), (ids[-1], ids[0])]
    assert same["transposition"].to_list() == [0, 0]
    assert same["tempo_ratio"].to_list() == pytest.approx([1, 1], abs=0.02)
    assert answer(run, "from marts.tune_checks")["source_kind"].to_list() == ["sound"] * N_RECORDINGS
    assert (run.outcome("compare_tunes") or {})["n_searched"] == N_RECORDINGS


def test_searched_files_are_remembered(finished_matching: tuple[Run, list[str]]) -> None:
    """Checks also list files without a match and files that could not be decoded."""
    run, _ = finished_matching

    checks = answer(run, "from marts.match_checks").filter(source_kind="upload").sort("source_file")

    assert checks.select("source_file", "n_uses", "failure").rows() == [
        ("no.mp3", 0, "not_decodable"),
        ("party.ogg", 1, None),
        ("stranger.flac", 0, None),
        ("unknown.xyz", 0, "not_decodable"),
    ]
    lines = map(json.loads, (run.folder / "log.jsonl").read_text().splitlines())
    assert [event["text"] for event in lines if "gone.mp3" in event.get("text", "")] == [
        f"{run.home.uploads / 'gone.mp3'} is not searched: there is no file that can be opened. Replace or remove it"
    ]
    assert run.outcome("match") == {"n_uploads": 4, "n_recordings": 6, "n_found": 2}


def test_a_file_is_matched_in_every_output_format(finished_matching: tuple[Run, list[str]], tmp_path: Path) -> None:
    """The terminal, CSV, JSON and the page show the same fields."""
    run, ids = finished_matching
    upload = str(run.home.uploads / "party.ogg")

    shown = call(run, "match", upload).output
    for form in ("csv", "json", "html"):
        assert call(run, "match", upload, "--report", form, "--out", str(tmp_path / f"r.{form}")).exit_code == 0

    assert ids[1] in shown
    rows = list(csv.DictReader((tmp_path / "r.csv").open(encoding="utf-8")))
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert [row["track_id"] for row in rows] == [ids[1]]
    assert set(report["files"][0]["uses"][0]) | {"file", "duration_s"} == set(rows[0])
    assert [point["length_s"] for point in report["operating_points"]] == [3, 5, 10]
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("data:image/png;base64,") == 1
    assert float(rows[0]["tempo_ratio"]) == pytest.approx(1.04, abs=0.005)
    assert rows[0]["transformation"].startswith("speed +")
    assert rows[0]["transformation"] in page
    assert "not that a right was infringed" in page
    assert "not at hand" not in page


def test_the_files_of_a_folder_are_matched(finished_matching: tuple[Run, list[str]], tmp_path: Path) -> None:
    """Files that cannot be decoded are reported beside the matches."""
    run, _ = finished_matching

    result = call(run, "match", str(run.home.uploads), "--report", "json", "--out", str(tmp_path / "all.json"))

    files = json.loads((tmp_path / "all.json").read_text(encoding="utf-8"))["files"]
    assert result.exit_code == 2
    assert "no.mp3: not an audio file we can decode" in result.output
    assert [(Path(entry["file"]).name, len(entry["uses"]), bool(entry["failure"])) for entry in files] == [
        ("gone.mp3", 0, True),
        ("no.mp3", 0, True),
        ("party.ogg", 1, False),
        ("stranger.flac", 0, False),
        ("unknown.xyz", 0, True),
    ]


def test_a_folder_of_music_takes_the_place_of_the_catalogue(
    finished_matching: tuple[Run, list[str]], tmp_path: Path
) -> None:
    """In an empty home, recordings are named by their files."""
    run, ids = finished_matching
    music = Path(json.loads(run.home.music_folders.read_text(encoding="utf-8"))[0]) / "music"
    bare = Run.of(Home(tmp_path / "bare"), run.as_of, run.recipe)

    result = call(bare, "match", str(run.home.uploads / "party.ogg"), "--against", str(music))
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

    assert re.search(rf"{ids[1]} +{ids[1]}\.flac", result.output)
    assert page.exit_code == 0
    assert "not at hand" not in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_thresholds_are_not_set_on_a_few_strangers(finished_matching: tuple[Run, list[str]]) -> None:
    """Calibration needs a folder of strangers, and not files to search as well."""
    run, _ = finished_matching

    few = call(run, "match", "--calibrate", str(run.home.uploads))
    both = call(run, "match", str(run.home.uploads), "--calibrate", str(run.home.uploads))

    assert few.exit_code == both.exit_code == 2
    assert "in 1 strangers, expected at least 100 in 20" in few.output
    assert "Give either PATH" in both.output
    assert not run.home.calibration.exists()


def test_a_missing_file_is_refused(finished_matching: tuple[Run, list[str]], tmp_path: Path) -> None:
    """A path that does not exist and a home without fingerprints are refused."""
    run, _ = finished_matching

    nowhere = call(run, "match", str(tmp_path / "nowhere"))

    assert nowhere.exit_code == 2
    assert "is neither an audio file nor a folder that contains any" in nowhere.output


def test_a_takedown_leaves_no_index_and_no_list(finished_matching: tuple[Run, list[str]], tmp_path: Path) -> None:
    """A takedown leaves every index at once, is stored in the lake, and leaves the lists with the next run."""
    run, ids = finished_matching
    home = Home(tmp_path / "home")
    shutil.copytree(run.home.path, home.path, symlinks=True)
    copied = Run.of(home, run.as_of, run.recipe)
    audio_id = answer(run, f"select audio_id from marts.track_audio where track_id = '{ids[1]}'").item()

    result = call(copied, "takedown", ids[1], "--reason", "court order")

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
    finished_matching: tuple[Run, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the packages that read indexes, a takedown stores nothing: otherwise it would look complete."""
    run, ids = finished_matching
    before = Lake(run.home).fingerprint()
    monkeypatch.setitem(sys.modules, "faiss", None)

    result = call(run, "takedown", ids[1])

    assert result.exit_code == 3
    assert "pip install 'recsys[audio]'" in result.output
    assert Lake(run.home).fingerprint() == before


def test_an_unknown_track_is_not_taken_down(finished_matching: tuple[Run, list[str]]) -> None:
    """A misspelt id is refused, and nothing is taken down."""
    run, _ = finished_matching

    result = call(run, "takedown", "trk_nobody")

    assert result.exit_code == 2
    assert "trk_nobody" in result.output


def test_the_next_night_looks_only_through_what_is_new(
    finished_matching: tuple[Run, list[str]], world: World, tmp_path: Path
) -> None:
    """A second run keeps earlier matches and searches earlier uploads for a new recording alone."""
    run, _ = finished_matching
    home = Home(tmp_path / "home")
    shutil.copytree(run.home.path, home.path, symlinks=True)
    shutil.copy(home.uploads / "stranger.flac", home.uploads / "same bytes.flac")
    added = catalogue_of(world.raw)["track_id"].unique().sort()[N_RECORDINGS]
    (tmp_path / "music").mkdir()
    write_audio(tmp_path / "music" / f"{added}.flac", song(77)[:, 4 * RATE_HZ :], RATE_HZ)

    (tmp_path / "recipe.toml").write_text(world.recipe.read_text() + "[matching]\nrecordings = 7\n")
    with locked(home):
        later = nightly(
            home,
            tmp_path / "music",
            as_of=world.last_day,
            today=world.last_day + timedelta(days=1),
            recipe=read_recipe(tmp_path / "recipe.toml"),
        )

    found = answer(later, "from marts.match_candidates")
    uses = found.filter(track_id=added)
    assert later.outcome("match") == {"n_uploads": 0, "n_recordings": 1, "n_found": uses.height}
    assert found.height == 2 + uses.height
    assert set(uses["source_file"]) <= {"stranger.flac", "same bytes.flac"}
    checks = answer(later, "from marts.match_checks").filter(source_audio_id=uses["source_audio_id"][0])
    assert checks["n_uses"].to_list() == [uses.height]
    longest = uses.row((uses["ends_s"] - uses["starts_s"]).arg_max() or 0, named=True)  # the tune repeats itself
    assert [longest["starts_s"], longest["ends_s"]] == pytest.approx([4, 24], abs=1)
