"""Sixty real recordings, some of them damaged, are scanned into the lake."""

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.home import Home
from recsys.lake.contract import CONTRACTS
from recsys.lake.store import Lake
from recsys.library.scan import ScanReport, scan
from recsys.library.settings import AudioSettings

N_WHOLE, N_DAMAGED = 54, 3


@pytest.fixture(scope="module")
def scanned(recsys_audio: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, ScanReport]:
    """Fifty-four intact recordings, three cut in half, three with changed bytes."""
    folder = tmp_path_factory.mktemp("music")
    files = sorted((recsys_audio / "music").glob("*.opus"))[:: 474 // N_WHOLE][:N_WHOLE]
    for path in files:
        (folder / path.name).symlink_to(path)
    rng = np.random.default_rng(7)
    for number, path in enumerate(files[:N_DAMAGED]):
        data = path.read_bytes()
        (folder / f"cut{number}.opus").write_bytes(data[: len(data) // 2])
        values = np.frombuffer(data, np.uint8).copy()
        values[rng.integers(5_000, len(values), 300)] = rng.integers(0, 256, 300)
        (folder / f"flipped{number}.opus").write_bytes(values.tobytes())
    home = Home(tmp_path_factory.mktemp("home"))
    return home, scan(home, folder, today=date(2026, 7, 1), settings=AudioSettings())


@pytest.mark.slow
def test_every_file_is_analysed_or_reported(scanned: tuple[Home, ScanReport]) -> None:
    """No file is lost, and intact files are complete."""
    home, report = scanned
    features = Lake(home).latest(CONTRACTS["audio_features"]).collect()

    assert report.n_files == N_WHOLE + 2 * N_DAMAGED
    assert report.n_analysed + len(report.failures) == report.n_files
    assert set(report.failures) <= {f"flipped{number}.opus" for number in range(N_DAMAGED)}
    whole = features.filter(~pl.col("track_id").str.contains("^(cut|flipped)[0-9]"))
    assert whole.height == N_WHOLE
    assert (whole["lost_ms"] == 0).all()
    assert whole["duration_ms"].min() > 5_000  # type: ignore[operator]
    for name in ("tempo_bpm", "loudness_lufs", "energy", "danceability"):
        assert whole[name].null_count() <= 1
    assert whole["key"].null_count() <= N_WHOLE // 2  # not stated where it is not heard clearly
    assert whole.drop_nulls("key")["key_confidence"].min() >= 0.3  # type: ignore[operator]


@pytest.mark.slow
def test_half_a_recording_sounds_like_the_whole(scanned: tuple[Home, ScanReport]) -> None:
    """The original of a cut copy is among its three nearest recordings."""
    home, _ = scanned
    vectors = Lake(home).latest(CONTRACTS["audio_vectors"]).collect().sort("track_id")
    embeddings = np.stack(vectors["vector"].to_list())
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    names = vectors["track_id"].to_list()
    originals = [name for name in names if not name.startswith(("cut", "flipped"))]

    for number in range(N_DAMAGED):
        cosines = embeddings @ embeddings[names.index(f"cut{number}")]
        nearest = sorted(originals, key=lambda name, cosines=cosines: -cosines[names.index(name)])  # type: ignore[misc]
        assert originals[number] in nearest[:3]
