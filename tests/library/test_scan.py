"""Scanning a music folder into the lake: which files are analysed, copied, skipped or refused."""

import os
import shutil
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.audio.analyse import Analyse
from recsys.audio.embedding.encoder import N_POOLED
from recsys.audio.embedding.instruments import TAGGER
from recsys.audio.embedding.tags import TAGS
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.library.music_folders import find_recording
from recsys.library.scan import EarlierScans, ScanReport, _Job, scan
from recsys.library.settings import AudioSettings
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import compose

TODAY = date(2026, 7, 1)


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    """Six seconds of a synthetic tune, 22.05 kHz stereo."""
    rng = np.random.default_rng(7)
    return render(arrange(compose("song", rng), Style.random(rng), rng, longest_s=6), rate_hz=22_050, longest_s=6)


@pytest.fixture(scope="module")
def scanned(song: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path, list[ScanReport]]:
    """
    A folder that is scanned twice, the second time after two changes.

    First: t1.flac, sub/t1.flac (another sound), copy.flac (the bytes of t1.flac), silence.wav, cut.flac (cut off),
    no.mp3 (text), .x.flac (hidden). Then: again.flac is another copy of copy.flac, and t1.flac holds another sound.
    """
    folder = tmp_path_factory.mktemp("music")
    (folder / "sub").mkdir()
    write_audio(folder / "t1.flac", song, 22_050)
    write_audio(folder / "sub" / "t1.flac", song[:, ::-1], 22_050)
    shutil.copy(folder / "t1.flac", folder / "copy.flac")
    write_audio(folder / "silence.wav", 0 * song, 22_050)
    write_audio(folder / "whole.flac", np.tile(song, 3), 22_050)
    (folder / "cut.flac").write_bytes((folder / "whole.flac").read_bytes()[:200_000])
    (folder / "whole.flac").unlink()
    (folder / "no.mp3").write_text("this is no music")
    (folder / ".x.flac").write_text("hidden")
    home = Home(tmp_path_factory.mktemp("home"))
    settings = AudioSettings(workers=1)
    reports = [scan(home, folder, today=TODAY, settings=settings)]
    shutil.copy(folder / "copy.flac", folder / "again.flac")
    write_audio(folder / "t1.flac", song[::-1, 5_000:], 22_050)
    reports.append(scan(home, folder, today=TODAY, settings=settings))
    return home, folder, reports


def rows(home: Home, table: str) -> pl.DataFrame:
    """The newest rows of a table of the lake."""
    return Lake(home).latest(CONTRACTS[table]).collect()


def test_the_same_bytes_are_analysed_once(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Of six files one is unreadable and two are equal; the second scan analyses only the changed file."""
    first, second = scanned[2]

    assert (first.n_files, first.n_known, first.n_analysed, first.n_copied) == (6, 0, 4, 1)
    assert (second.n_files, second.n_known, second.n_analysed, second.n_copied) == (7, 4, 1, 1)


def test_files_with_the_same_name_are_named_by_their_path(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Two albums may both have a file t1."""
    assert [recording.name for recording in recordings(scanned[1])] == [
        "again",
        "copy",
        "cut",
        "no",
        "silence",
        "sub/t1",
        "t1",
    ]


def test_an_analysis_becomes_rows_of_the_lake(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Features of every readable file; vectors and tags of those that are not silent; equal rows for equal bytes."""
    features, vectors, tags = (rows(scanned[0], table) for table in ("audio_features", "audio_vectors", "audio_tags"))
    audible = {"again", "copy", "cut", "sub/t1", "t1"}

    assert set(features["track_id"]) == audible | {"silence"}
    assert set(vectors["track_id"]) == audible
    assert vectors["vector"].list.len().unique().to_list() == [N_POOLED]
    pretrained = tags.filter(pl.col("tagger") != TAGGER)
    assert pretrained.group_by("track_id").len()["len"].to_list() == [len(TAGS)] * len(audible)
    assert set(tags.filter(tagger=TAGGER)["track_id"]) >= {"t1", "copy"}  # rendered music
    copied = vectors.filter(pl.col("track_id").is_in(["again", "copy"]))["vector"].to_list()
    assert copied[0] == copied[1]
    assert features.filter(track_id="silence")["loudness_lufs"].to_list() == [None]
    assert features.filter(track_id="copy").select("rate_hz", "n_channels", "codec").row(0) == (22_050, 2, "flac")


def test_damage_is_reported_and_an_unreadable_file_is_not_tried_again(
    scanned: tuple[Home, Path, list[ScanReport]],
) -> None:
    """The report has the lost length of a cut file; the unreadable file is quarantined once, with its reason."""
    home, _, (first, second) = scanned

    assert first.damaged.keys() == {"cut.flac"}
    assert 5_000 < first.damaged["cut.flac"] < 17_000
    assert first.failures["no.mp3"].reason == second.failures["no.mp3"].reason == "not_decodable"
    assert second.problems() == ["no.mp3: not an audio file we can decode"]
    assert first.problems()[1] == f"cut.flac: {first.damaged['cut.flac'] / 1000:.1f} s of it could not be decoded"
    refused = pl.concat(pl.read_parquet(path) for path in (home.lake / "quarantine").rglob("*.parquet"))
    assert refused.select("source_table", "reason", "source_file").rows() == [
        ("audio_features", "not_decodable", "no.mp3")
    ]


def test_another_version_of_the_analyser_analyses_all_files_again(
    scanned: tuple[Home, Path, list[ScanReport]],
) -> None:
    """Neither rows nor failures of this version count for the next one."""
    lake = Lake(scanned[0])

    current, next_ = (EarlierScans.read(lake, version) for version in (Analyse("musicnn").version, "recsys-next"))

    assert (len(current.names), len(current.failures)) == (6, 1)
    assert (len(next_.names), len(next_.failures)) == (0, 0)


def test_recordings_of_an_earlier_version_are_analysed_again_a_share_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three recordings, a scan takes at most as many as it may, unless it has no limit or the encoder changed."""
    home, settings = Home(tmp_path / "home"), AudioSettings(workers=1)
    folder = tmp_path / "music"
    folder.mkdir()
    sound = np.random.default_rng(7).standard_normal((1, 30_000)) / 10
    for n in range(3):
        write_audio(folder / f"t{n}.wav", sound[:, n:], 22_050)
    scan(home, folder, today=TODAY, settings=settings)
    lake = Lake(home)
    version = Analyse("musicnn").version
    later = version.replace("recsys-", "recsys-9", 1)
    other_encoder = later.replace(" ", " other-", 1)

    same, of_features, of_all = (EarlierScans.read(lake, name) for name in (version, later, other_encoder))
    job = _Job(lake, Analyse("musicnn"), TODAY, ScanReport())
    monkeypatch.setattr(_Job, "analyser", later)
    found = recordings(folder)
    allowed = [len(job.without_deferred(found, most_again)) for most_again in (0, 2, None)]

    assert (len(same.outdated), len(of_features.outdated), len(of_all.outdated)) == (0, 3, 0)
    assert allowed == [0, 2, 3]
    assert job.report.n_deferred == 3 + 1


def test_versions_with_and_without_taggers_have_the_same_networks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Recordings of a version that named encoder and fingerprint network alone are analysed again a share at a time."""
    old = "recsys-1-160d90ca musicnn-msd-8579734e-1 own-f1909115-fingerprint1"
    new = "recsys-2-77c14e09 musicnn-msd-8579734e-1 own-f1909115-fingerprint1 instruments1"
    names = ["old", "new", "other encoder", "other fingerprint"]
    versions = [old, new, old.replace("musicnn", "other"), old.replace("fingerprint1", "fingerprint2")]
    rows = pl.DataFrame({"track_id": names, "audio_id": names, "analyser": versions})
    monkeypatch.setattr(Lake, "latest", lambda _lake, _contract: rows.lazy())

    found = EarlierScans.read(Lake(Home(tmp_path)), new)

    assert found.names == {"new": "new"}
    assert found.outdated == {"old": "old"}


def test_the_lake_lists_the_hash_of_every_file(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """A nightly run with the same music has the same run id."""
    home, folder, _ = scanned

    assert {recording.audio_id for recording in recordings(folder)} <= Lake(home).sources()
    assert Lake(home).verify() > 0


def test_a_name_that_is_not_utf8_is_printable(tmp_path: Path) -> None:
    """Files of equal names are distinguished as usual."""
    names = [b"latin\xe9.flac", b"latin\xe9.mp3", b"other\xff.wav"]
    for name in names:
        (tmp_path / os.fsdecode(name)).write_bytes(name)
    found = recordings(tmp_path)

    assert [one.name for one in found] == [r"latin\xe9.flac", r"latin\xe9.mp3", r"other\xff"]
    assert [one.file for one in found] == [r"latin\xe9.flac", r"latin\xe9.mp3", r"other\xff.wav"]
    assert [one.path.read_bytes() for one in found] == names


@pytest.mark.slow
def test_files_whose_names_are_not_utf8_are_scanned(song: np.ndarray, tmp_path: Path) -> None:
    """The file is analysed or refused like any other, found again by its escaped name, and known to the next scan."""
    folder = tmp_path / os.fsdecode(b"m\xfcsic")
    folder.mkdir()
    write_audio(tmp_path / "song.flac", song, 22_050)
    shutil.copy(tmp_path / "song.flac", folder / "good.flac")
    shutil.copy(tmp_path / "song.flac", folder / os.fsdecode(b"latin\xe9.flac"))
    (folder / os.fsdecode(b"no\xe9.mp3")).write_text("this is no music")
    home, settings = Home(tmp_path / "home"), AudioSettings(workers=1)
    first = scan(home, folder, today=TODAY, settings=settings)
    second = scan(home, folder, today=TODAY, settings=settings)

    features = rows(home, "audio_features").sort("track_id")
    assert features.select("track_id", "file").rows() == [("good", "good.flac"), (r"latin\xe9", r"latin\xe9.flac")]
    assert first.problems() == [r"no\xe9.mp3: not an audio file we can decode"]
    assert (first.n_analysed, first.n_copied, second.n_known) == (1, 1, 2)
    found = find_recording(home, r"latin\xe9.flac", features["audio_id"][1])
    assert found is not None
    assert os.fsencode(found.name) == b"latin\xe9.flac"
