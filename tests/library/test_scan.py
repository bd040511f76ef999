"""A folder of music into the lake: what is heard once, what is never heard, what is heard again."""

import shutil
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.audio.embedding.encoder import N_POOLED
from recsys.audio.embedding.tags import TAGS
from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.library.files import recordings
from recsys.library.scan import ScanReport, scan
from recsys.library.settings import AudioSettings
from recsys.synth.arrange import Style, arrange
from recsys.synth.render import render, write_audio
from recsys.synth.tune import compose

TODAY = date(2026, 7, 1)


@pytest.fixture(scope="module")
def song() -> np.ndarray:
    """Six seconds of a made-up tune, 22.05 kHz stereo."""
    rng = np.random.default_rng(7)
    return render(arrange(compose("song", rng), Style.drawn(rng), rng, longest_s=6), rate_hz=22_050, longest_s=6)


@pytest.fixture(scope="module")
def scanned(song: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path, list[ScanReport]]:
    """
    A folder scanned twice, the second time with three changes.

    First: t1.flac, sub/t1.flac (other sound, same name), copy.flac (the bytes of t1), silence.wav, cut.mp3, no.mp3, .x.
    Then: copy.flac is also called again.flac, t1.flac holds another sound, no.mp3 is still there.
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


def test_a_file_is_heard_once_whatever_it_is_called(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Of six files one says nothing and two are the same; the second scan hears only what changed."""
    first, second = scanned[2]

    assert (first.n_files, first.n_known, first.n_analysed, first.n_copied) == (6, 0, 4, 1)
    assert (second.n_files, second.n_known, second.n_analysed, second.n_copied) == (7, 4, 1, 1)


def test_files_of_one_name_are_named_by_their_way(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Nothing is lost where two albums have a first track."""
    assert [each.name for each in recordings(scanned[1])] == [
        "again",
        "copy",
        "cut",
        "no",
        "silence",
        "sub/t1",
        "t1",
    ]


def test_what_is_heard_stands_in_three_tables(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """Features of every readable file; vectors and tags of those that sound; the same bytes, the same rows."""
    features, vectors, tags = (rows(scanned[0], table) for table in ("audio_features", "audio_vectors", "audio_tags"))
    heard = {"again", "copy", "cut", "sub/t1", "t1"}

    assert set(features["track_id"]) == heard | {"silence"}
    assert set(vectors["track_id"]) == heard
    assert vectors["vector"].list.len().unique().to_list() == [N_POOLED]
    assert tags.group_by("track_id").len()["len"].unique().to_list() == [len(TAGS)]
    copied = vectors.filter(pl.col("track_id").is_in(["again", "copy"]))["vector"].to_list()
    assert copied[0] == copied[1]
    assert features.filter(track_id="silence")["loudness_lufs"].to_list() == [None]
    assert features.filter(track_id="copy").select("rate_hz", "n_channels", "codec").row(0) == (22_050, 2, "flac")


def test_damage_is_told_and_what_says_nothing_is_not_tried_again(
    scanned: tuple[Home, Path, list[ScanReport]],
) -> None:
    """The lost length of a cut file; the refused one in the quarantine once, with its reason."""
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


def test_the_lake_knows_every_file_by_its_bytes(scanned: tuple[Home, Path, list[ScanReport]]) -> None:
    """So that a night with the same music is the same night."""
    home, folder, _ = scanned

    assert {each.audio_id for each in recordings(folder)} <= Lake(home).sources()
    assert Lake(home).verify() > 0
