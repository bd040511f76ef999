"""Vocabularies: ids to rows and back, unknown and missing ids, saving and loading."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.dataset.vocab import Vocab
from recsys.errors import InputError, UnknownIds


@given(st.lists(st.text(), min_size=1))
def test_ids_round_trip(ids: list[str]) -> None:
    """Ids to rows and back gives the same ids, for any text; ids are sorted by their bytes."""
    vocab = Vocab.of(ids, kind="track")

    assert vocab.ids(vocab.rows(ids)).to_list() == ids
    assert vocab.ids().to_list() == sorted(set(ids), key=lambda text: text.encode())


def test_find_marks_unknown_ids() -> None:
    """An unknown id has row -1, and so has a null."""
    rows = Vocab.of(["b", "a"], kind="track").find(pl.Series(["b", "c", None]))

    assert rows.tolist() == [1, -1, -1]


def test_rows_refuses_unknown_ids() -> None:
    """The message counts distinct unknown ids and suggests the most similar known id for the first one."""
    vocab = Vocab.of([f"trk_{n:04}" for n in range(1000)], kind="track")

    with pytest.raises(UnknownIds, match=r"2 track ids .* the first is 'trk_0471b'. Did you mean 'trk_0471'"):
        vocab.rows(["trk_0471b", "trk_0001", "zzz", "zzz"])


def test_missing_ids_are_refused() -> None:
    """A null among the ids raises an error."""
    with pytest.raises(InputError, match="listener ids: found 1 rows without an id"):
        Vocab.of(pl.Series(["a", None]), kind="listener")


def test_row_out_of_range_is_an_error() -> None:
    """Row -1, which stands for unknown or padding, is not read as the last id."""
    with pytest.raises(IndexError, match=r"track rows: found -1\.\.-1, expected rows in 0\.\.1"):
        Vocab.of(["a", "b"], kind="track").ids(np.array([-1]))


def test_save_then_load_is_the_same(tmp_path: Path) -> None:
    """A loaded vocabulary has the same kind and the same ids."""
    vocab = Vocab.of(["b", "a"], kind="track")

    vocab.save(tmp_path / "tracks.parquet")
    loaded = Vocab.load(tmp_path / "tracks.parquet")

    assert loaded.kind == "track"
    assert loaded.is_same_as(vocab)
    assert not loaded.is_same_as(Vocab.of(["a"], kind="track"))
