"""Labels of a person: what a file may contain, and what is refused."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from recsys.errors import InputError, UnknownIds
from recsys.tags.labels import labels_of, read_labels

TEXT = """track_id,kind,tag,note
t1,genre, Rock ,x
t2,genre,jazz,
t1,mood,calm,
t1,mood,sad,
t2,mood,sad,
t2,mood,sad,again
,mood,calm,
"""


def test_a_file_is_read_by_kind(tmp_path: Path) -> None:
    """Tags are trimmed and in lower case; repeated and incomplete rows do not count."""
    path = tmp_path / "labels.csv"
    path.write_text(TEXT)

    genre, mood = read_labels(path, ["t1", "t2", "t3"])

    assert (genre.kind, genre.names, genre.is_exclusive) == ("genre", ("jazz", "rock"), True)
    assert genre.has_tag.tolist() == [[0, 1], [1, 0]]
    assert (mood.kind, mood.names, mood.is_exclusive) == ("mood", ("calm", "sad"), False)
    assert mood.has_tag.tolist() == [[1, 1], [0, 1]]


def test_labels_of_some_recordings() -> None:
    """Tags that none of them has are left out."""
    rows = pl.DataFrame({"track_id": ["a", "b", "c"], "kind": "mood", "tag": ["calm", "sad", "sad"]})

    part = labels_of(rows, ["a", "b", "c"])[0].of_tracks(np.array([False, True, True]))

    assert (part.names, part.tracks.ids().to_list(), part.has_tag.tolist()) == (("sad",), ["b", "c"], [[1], [1]])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("track_id,tag\nt1,rock\n", "columns kind are missing"),
        ("", "cannot be read as CSV"),
        ("track_id,kind,tag\n", "found no row"),
        ("track_id,kind,tag\nt1,,rock\n", "found no row"),
        ("track_id,kind,tag\nt1,colour,red\n", "1 other values of kind"),
        ("track_id,kind,tag\nt1,genre,rock\nt2,genre,rock\n", "found one tag of the kind genre"),
        ("track_id,kind,tag\nt1,vocal,female voice\nt2,vocal,choir\n", "tags that name a gender"),
        ("track_id,kind,tag\nt1,vocal,female-vocals\nt2,vocal,choir\n", "tags that name a gender"),
        ("track_id,kind,tag\nt1,vocal,voice_(Male)\nt2,vocal,choir\n", "tags that name a gender"),
        (f"track_id,kind,tag\nt1,genre,{'x' * 101}\nt2,genre,rock\n", "1 tags with more than 100 characters"),
        ("track_id,kind,tag\n" + "".join(f"t1,mood,m{n}\n" for n in range(501)), "501 tags of the kind mood"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path: Path, text: str, message: str) -> None:
    """The message says what was expected."""
    path = tmp_path / "labels.csv"
    path.write_text(text)

    with pytest.raises(InputError, match=message):
        read_labels(path, ["t1", "t2"])


def test_unknown_recordings_are_refused() -> None:
    """The message has the most similar id."""
    rows = pl.DataFrame({"track_id": ["trk_1", "trk_22"], "kind": "genre", "tag": ["a", "b"]})

    with pytest.raises(UnknownIds, match="Did you mean 'trk_2'"):
        labels_of(rows, ["trk_1", "trk_2"])
