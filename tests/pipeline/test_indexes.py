"""The indexes of a release are written completely, even if a publication is repeated."""

from pathlib import Path

import numpy as np
import pytest

from recsys.home import Home
from recsys.lake.store import Lake
from recsys.matching.fingerprint_index import CODES, FingerprintIndex
from recsys.pipeline.indexes import upload_prints, write_fingerprint_index


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The files of a run's fingerprint index."""
    folder = tmp_path / "run" / "fingerprints"
    folder.mkdir(parents=True)
    (folder / "codes.npy").write_bytes(b"codes")
    (folder / "about.json").write_text("{}")
    return folder


def place(made: Path, folder: Path) -> dict[str, bytes]:
    """Write the run's index to a folder; return the files in the folder."""
    lake = Lake(Home(made.parent))
    placed = write_fingerprint_index(made / "none.duckdb", folder, made=made, lake=lake, last=None, note=print)
    assert placed == folder
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_publication_that_is_done_again_copies_the_index_again(made: Path, tmp_path: Path) -> None:
    """Writing the index a second time succeeds and gives the same files."""
    first = place(made, tmp_path / "indexes" / "r1-fingerprints")

    assert place(made, tmp_path / "indexes" / "r1-fingerprints") == first
    assert set(first) == {"codes.npy", "about.json"}


@pytest.mark.parametrize("name", ["r1-fingerprints", ".r1-fingerprints.partial"])
def test_half_a_copy_of_a_killed_publication_is_replaced(made: Path, tmp_path: Path, name: str) -> None:
    """An incomplete copy is replaced, in the final folder (from older versions) or in a temporary one."""
    (tmp_path / "indexes" / name).mkdir(parents=True)
    (tmp_path / "indexes" / name / "left.npy").write_bytes(b"half")

    assert set(place(made, tmp_path / "indexes" / "r1-fingerprints")) == {"codes.npy", "about.json"}
    assert [path.name for path in (tmp_path / "indexes").iterdir()] == ["r1-fingerprints"]


@pytest.mark.parametrize("fault", ["damaged", "of another network"])
def test_fingerprints_of_uploads_that_cannot_be_used_are_left_out(tmp_path: Path, fault: str) -> None:
    """A warning says so, and they are made anew; without any there is none."""
    messages = list[str]()
    assert upload_prints(tmp_path / "prints", lambda **event: messages.append(event["text"])) is None
    assert messages == []
    FingerprintIndex.build(["a"], [np.eye(2, 128, dtype=np.float32)], version="another").save(tmp_path / "prints")
    if fault == "damaged":
        (tmp_path / "prints" / CODES).write_bytes(b"")

    assert upload_prints(tmp_path / "prints", lambda **event: messages.append(event["text"])) is None

    assert len(messages) == 1
    assert messages[0].startswith("the index of uploads is rebuilt")
    assert ("damaged" if fault == "damaged" else "network version another") in messages[0]
