"""The lyrics of the demo world: the texts are what the truth says, by means that do not know how they were written."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recsys.demo import World, write_world
from recsys.demo.lyrics import Sung, delivery
from recsys.demo.verses import LANGUAGES, PARTS, THEMES, compose, with_names
from recsys.demo.world import Truth
from recsys.lyrics.analysis import LyricsAnalysis, analyse
from recsys.lyrics.lines import from_text

SMALL = World(
    seed=5, scale=0.04, n_labels=6, n_artists=160, n_tracks=2_000, n_tracks_with_audio=0, n_tracks_with_lyrics=160
)
MAX_BITS = 16  # of 64, between the hashes of a text and of its copy with small edits; unrelated texts differ in 32


@dataclass(frozen=True)
class Delivered:
    """A written world: its folder, the analysis of each text by recording, and the truth of each kind by recording."""

    folder: Path
    texts: dict[str, LyricsAnalysis]
    truth: dict[str, dict[str, dict[str, Any]]]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Write a small world, and analyse its lyrics."""
    folder = tmp_path_factory.mktemp("songs")
    write_world(folder, SMALL)
    rows = pl.read_ndjson(folder / "raw" / "lyrics.jsonl").select("track_id", "text").iter_rows()
    truth: dict[str, dict[str, dict[str, Any]]] = {}
    for line in map(json.loads, (folder / "truth.jsonl").read_text().splitlines()):
        truth.setdefault(line["kind"], {})[line["id"]] = line["details"]
    return Delivered(folder, {track_id: analyse(from_text(text)) for track_id, text in rows}, truth)


def test_each_text_is_in_the_language_of_the_truth(world: Delivered) -> None:
    """The language identifier finds the true language of every text, and all languages are sung."""
    found = {track_id: text.measures.language.code for track_id, text in world.texts.items()}

    assert found == {track_id: planted["language"] for track_id, planted in world.truth["lyrics"].items()}
    assert set(found.values()) == set(LANGUAGES)


def test_explicit_texts_are_those_with_words_of_the_lexicon(world: Delivered) -> None:
    """Texts with hits of the lexicon are the explicit ones, and English ones of them are probably marked."""
    explicit = {track_id for track_id, planted in world.truth["lyrics"].items() if planted["explicit"]}
    english = [text.explicit.probability or 0.0 for track_id, text in world.texts.items() if track_id in explicit]

    assert {track_id for track_id, text in world.texts.items() if text.explicit.hits} == explicit
    assert len(explicit) > 10
    assert max(english) > 0.9


def test_copies_are_near_their_original_or_in_another_language(world: Delivered) -> None:
    """A re-upload is near its original by the hash of the text; a translation has as many sections, and other words."""
    hows = set()
    for track_id, planted in world.truth["lyrics_copy"].items():
        copy, original = world.texts[track_id], world.texts[planted["of"]]
        hows.add(planted["how"])
        if planted["how"] == "translation":
            assert copy.measures.language != original.measures.language
            assert [s.n_lines for s in copy.sections] == [s.n_lines for s in original.sections]
        else:
            hashes = (int(text.measures.near_hash or "", 16) for text in (copy, original))
            assert (next(hashes) ^ next(hashes)).bit_count() <= MAX_BITS
    assert hows == {"translation", "reupload"}


def test_references_are_in_the_text(world: Delivered) -> None:
    """Every planted name is sung, in whatever language; of the three kinds there are some, and copies have them too."""
    rows = dict(pl.read_ndjson(world.folder / "raw" / "lyrics.jsonl").select("track_id", "text").iter_rows())
    planted = {track_id: details["references"] for track_id, details in world.truth["lyrics"].items()}

    edited = {
        track for track, copy in world.truth["lyrics_copy"].items() if copy["how"] != "translation"
    }  # may lack a line
    assert all(name in rows[track] for track, names in planted.items() if track not in edited for name in names)
    assert {kind for names in planted.values() for kind in names.values()} == {"place", "person", "brand"}
    assert 0.15 < sum(bool(names) for names in planted.values()) / len(planted) < 0.45


def test_nothing_else_of_the_world_depends_on_lyrics(world: Delivered, tmp_path: Path) -> None:
    """A world without lyrics has the same files, byte by byte, without that of lyrics."""
    write_world(tmp_path, replace(SMALL, n_tracks_with_lyrics=0))

    files = {path.name: path.read_bytes() for path in (world.folder / "raw").iterdir() if path.is_file()}
    del files["lyrics.jsonl"]
    assert {path.name: path.read_bytes() for path in (tmp_path / "raw").iterdir() if path.is_file()} == files


def test_parts_share_no_line_and_no_word_of_a_theme() -> None:
    """Songs of the training part and of the test part have no line of the theme in common, whatever is drawn."""
    rng = World().rng("songs")
    for theme in THEMES:
        lines = [
            {
                line.pattern
                for _ in range(20)
                for _, lines in compose(theme, "sad", part, rng).sections
                for line in lines
            }
            for part in PARTS
        ]
        assert not lines[0] & lines[1]


def test_parts_share_no_name() -> None:
    """Names of references and namesakes, too, are of one part only."""
    rng = World().rng("names")
    plain = [compose("road", "sad", part, rng) for part in PARTS]
    named = [{name for _ in range(60) for name in with_names(song, rng).references} for song in plain]

    assert not named[0] & named[1]
    assert all(len(names) > 20 for names in named)
    assert plain[0].references == {}


def test_a_cover_sings_the_words_of_its_original() -> None:
    """A remix of an instrumental has no lyrics; what translated the words that the cover had is no copy any more."""
    rng = World().rng("covers")
    of_roads, of_cities = (compose(theme, "sad", "test", rng) for theme in ("road", "city"))
    sung = {"original": Sung(of_roads, "en"), "cover": Sung(of_cities, "de"), "remix": Sung(of_roads, "fr")}
    sung["translation"] = Sung(of_cities, "es", "translation", "cover")
    tracks = pl.DataFrame({"track_id": [*sung, "instrumental"], "explicit": None, "language": None})
    sounds = [Truth("cover", "cover", None, {"of": "original"}), Truth("remix", "remix", None, {"of": "instrumental"})]

    table, truths = delivery(sung, tracks, sounds, rng)

    assert set(table["track_id"]) == {"original", "cover", "translation"}
    languages = {truth.id: truth.details["language"] for truth in truths if truth.kind == "lyrics"}
    assert languages == {"original": "en", "cover": "en", "translation": "es"}
    assert [(truth.id, truth.details) for truth in truths if truth.kind == "lyrics_copy"] == [
        ("cover", {"of": "original", "how": "cover"})
    ]
