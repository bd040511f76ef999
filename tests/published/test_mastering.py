"""Names of files and references of `recsys master`, on a warehouse that is built from measured recordings."""

import subprocess
import sys
from pathlib import Path

import duckdb
import numpy as np
import pytest
from soundfile import write

from recsys.audio.mastering.facts import measure
from recsys.audio.mastering.mastered import Mastered
from recsys.errors import InputError
from recsys.files import sha256_of
from recsys.home import Home
from recsys.library.settings import AudioSettings
from recsys.published import mastering
from recsys.published.mastering import Wishes, check_files, name_of_copy, reference_of, write_mastered
from tests.warehouse.conftest import Place, place_in

RATE_HZ = 44_100
LEVELS = {"n1": -10, "n2": -12, "n3": -14, "m1": -20, "d1": -8, "gone": -30}
TRACKS = """track_id,title,artist_id
n1,One,ar1
n2,Two,ar1
n3,Three,ar1
m1,Four,ar2
d1,Five,ar3
gone,Six,ar3
short,Seven,ar1
"""
ARTISTS = "artist_id,name\nar1,Nova\nar2,NOVA\nar3,AC/DC\n"


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file, which is recording n1 of the catalogue."""
    path = tmp_path_factory.mktemp("song") / "song.wav"
    write(path, np.zeros((100, 1)), RATE_HZ)
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, song: Path) -> Home:
    """A home whose published warehouse has six measured recordings of three artists, and one with nine bands."""
    place: Place = place_in(tmp_path_factory.mktemp("mastering"))
    rows = [f"{track},{'|'.join([str(level)] * 10)}" for track, level in LEVELS.items()]
    rows.append("short," + "|".join(["-10"] * 9))
    place.take("audio_features.csv", "\n".join(["track_id,band_levels_db", *rows]))
    place.take("tracks.csv", TRACKS)
    place.take("artists.csv", ARTISTS)
    place.take("takedowns.csv", "track_id,taken_down_at,takedown_reason\ngone,2026-01-01,court order\n")
    place.take("listens.csv", "user_id,track_id,listened_at\nann,n1,2026-01-19\n")
    built = place.build("w", only=["marts.track_audio", "marts.track_features"])
    with duckdb.connect(str(built)) as connection:  # as if n1 had been scanned
        connection.execute("update marts.track_audio set audio_id = ? where track_id = 'n1'", [sha256_of(song)])
    place.home.warehouse.parent.mkdir(parents=True, exist_ok=True)
    place.home.warehouse.symlink_to(built)
    return place.home


@pytest.mark.parametrize(
    ("name", "title", "levels"),
    [
        ("ar1", "the 2 recordings of the releases of Nova", [-12, -14]),  # without the file itself and nine bands
        ("artist", "the 2 recordings of the releases of Nova", [-12, -14]),
        ("ac/dc", "the 1 recordings of the releases of AC/DC", [-8]),  # without what was taken down
        ("catalogue", "the 4 recordings of the catalogue", [-8, -20, -12, -14]),
    ],
)
def test_recordings_of_the_catalogue_are_a_reference(
    name: str, title: str, levels: list[float], home: Home, song: Path
) -> None:
    """An artist by id or name, the artist of the file, or the catalogue; without takedowns and the file itself."""
    found = reference_of(home.published_warehouse, name, song, AudioSettings())

    assert found.title == title
    assert found.levels.tolist() == [[level] * 10 for level in levels]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nova", "2 artists are named 'nova'. Give an id: ar1, ar2"),
        ("no/one", "There is no file 'no/one', and no measured recording of such an artist"),
        ("other.wav", "There is no file other.wav"),
    ],
)
def test_names_that_are_unclear_are_refused(name: str, message: str, home: Home, song: Path) -> None:
    """A name of two artists, of none, or of a file that does not exist."""
    with pytest.raises(InputError, match=message):
        reference_of(home.published_warehouse, name, song, AudioSettings())


@pytest.mark.parametrize("role", ["reference", "copy", "report"])
def test_no_two_files_are_the_same(role: str, tmp_path: Path) -> None:
    """The file under its own name, through a link, and a reference that the copy would replace are refused."""
    song, link, other = tmp_path / "song.wav", tmp_path / "link.wav", tmp_path / "other.wav"
    (tmp_path / "folder").mkdir()
    for path in (song, other):
        path.write_bytes(b"x")
    link.hardlink_to(song)
    names = {"reference": None, "copy": tmp_path / "copy.wav", "report": tmp_path / "page.html"}

    check_files(song, names["copy"], names["report"], Wishes(reference=str(other)))

    for wrong in (song, tmp_path / "folder" / ".." / "song.wav", link):
        given = names | {role: wrong}
        reference = str(given["reference"]) if given["reference"] else str(other)
        with pytest.raises(InputError, match="named twice"):
            check_files(song, given["copy"], given["report"], Wishes(reference=reference))
    with pytest.raises(InputError, match="named twice"):
        check_files(song, other, None, Wishes(reference=str(other)))


def test_a_copy_keeps_the_suffix_of_the_file_if_it_can_be_written() -> None:
    """FLAC stays FLAC; an MP3 becomes a WAV file unless nothing is asked; other suffixes are refused at once."""
    nothing, loud, bits = Wishes(), Wishes(target="apple"), Wishes(n_bits=16)

    assert name_of_copy(Path("a.flac"), loud) == Path("a.mastered.flac")
    assert [name_of_copy(Path("a.mp3"), wishes).suffix for wishes in (nothing, loud, bits)] == [".mp3", ".wav", ".wav"]
    check_files(Path("a.mp3"), Path("b.mp3"), None, nothing)
    for wishes in (loud, bits):
        with pytest.raises(InputError, match=r"expected \.wav or \.flac"):
            check_files(Path("a.mp3"), Path("b.mp3"), None, wishes)
    with pytest.raises(InputError, match=r"expected \.wav or \.flac"):
        check_files(Path("a.wav"), Path("b.mp3"), None, nothing)


def test_a_process_that_is_stopped_leaves_no_half_of_a_copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends while it writes cannot remove its file; the command does, and no copy appears."""
    song, out = tmp_path / "song.wav", tmp_path / "copy.wav"
    write(song, 0.1 * np.random.default_rng(1).standard_normal((RATE_HZ, 1)), RATE_HZ)
    seen = Mastered(song, measure(song), None, ())
    code = """
import os, sys
from pathlib import Path
from recsys.files import new_files
with new_files([Path(sys.argv[1])]) as (partial,):
    partial.write_bytes(b"half")
    os._exit(9)
"""

    def stopped(*_task: object, **_limits: object) -> None:
        subprocess.run([sys.executable, "-c", code, str(out)], check=False)
        assert len(list(tmp_path.iterdir())) == 2
        raise InputError("song.wav took too long")

    monkeypatch.setattr(mastering, "run_one", stopped)

    with pytest.raises(InputError, match="too long"):
        write_mastered(seen, out, AudioSettings(), Wishes(target="apple"))
    assert list(tmp_path.iterdir()) == [song]
