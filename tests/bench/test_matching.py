"""The matching benchmark: speech and other sounds, interrupted runs, thresholds, and the table in Markdown."""

from pathlib import Path

import numpy as np
import pytest

from bench.audio import speech
from bench.matching import answers, sounds
from bench.matching.answers import Answer, QueryResult, Results
from bench.matching.distortions import DISTORTIONS, RATE_HZ, SPEECH, Background
from bench.matching.fit import Development, Excerpt
from bench.matching.queries import N_FILLING, N_OTHERS, QuerySet
from bench.matching.report import print_summary, summary
from bench.matching.strangers import sides
from recsys.matching.fingerprint_index import FingerprintIndex


def test_languages_voices_and_sentences_of_the_parts_differ() -> None:
    """Speech in the test is unlike speech in training."""
    for table in (speech.LANGUAGES, speech.VOICES, speech.SENTENCES):
        values = [value for part in table.values() for value in part]
        assert len(values) == len(set(values))
        assert list(table) == ["train", "calibration", "test"]


@pytest.mark.skipif(not speech.is_installed(), reason="espeak-ng is not on the PATH")
def test_speech_is_made_once(tmp_path: Path) -> None:
    """The same files again cost nothing, and files of a number have the same content in every run."""
    first, second = (speech.make_speech(tmp_path / name, "test", 2) for name in ("a", "b"))
    changed = first[0].stat().st_mtime_ns

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert first[0].read_bytes() != first[1].read_bytes()
    assert speech.make_speech(tmp_path / "a", "test", 2) == first
    assert first[0].stat().st_mtime_ns == changed


@pytest.mark.parametrize(("name", "louder_db"), [*zip(SPEECH, (0, 6, 12), strict=True)])
def test_speech_is_louder_than_the_music_under_it(name: str, louder_db: float) -> None:
    """What is added has the level that the distortion states."""
    rng = np.random.default_rng(1)
    music, voice = (rng.standard_normal(RATE_HZ).astype(np.float32) for _ in range(2))

    added = SPEECH[name].change(music, Background([], [], [0.1 * voice], rng)) - music

    assert 10 * np.log10(np.square(added).mean() / np.square(music).mean()) == pytest.approx(louder_db, abs=0.01)


@pytest.mark.parametrize("kind", list(sounds.MADE))
def test_made_sounds_lie_between_the_quietest_and_the_loudest_level(kind: str) -> None:
    """Levels are drawn at random and stated below full scale."""
    rng = np.random.default_rng(3)
    levels_db = [
        10 * np.log10(np.square(sounds._as_recorded(sounds.MADE[kind](RATE_HZ, rng), rng)).mean()) for _ in range(9)
    ]

    assert sounds.QUIETEST_DBFS - 1 < min(levels_db) < max(levels_db) < sounds.LOUDEST_DBFS + 1
    assert max(levels_db) - min(levels_db) > 10


def result(distortion: str, recording: str, score: float, *, is_found: bool) -> QueryResult:
    """Return a result with a score."""
    return QueryResult(distortion, recording, Answer(is_found, np.nan, score, (0.1, 0.2)), None)


def test_a_finished_cell_is_not_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second run reads the results of the first."""
    runs: list[str] = []

    def run(_query_set: QuerySet, distortion: str) -> list[QueryResult]:
        runs.append(distortion)
        return [result(distortion, "r", 0.25, is_found=True)]

    monkeypatch.setattr(answers, "_run", run)
    query_set = QuerySet(tmp_path, "queried", "test", 10, 1, 4, with_peer=False)

    (first,), (second,) = (answers._cell(query_set, "tempo +5%") for _ in range(2))

    assert runs == ["tempo +5%"]
    assert second.as_json() | {"ours": None} == first.as_json() | {"ours": None}
    assert second.ours.score == 0.25
    assert (second.ours.is_found, second.peer) == (True, None)
    assert np.isnan(second.ours.offset_error_s)


def test_sounds_that_are_no_music_are_strangers_of_the_calibration() -> None:
    """Windows of music and of other sounds are searched in the whole index."""
    rng = np.random.default_rng(4)
    song, other, hum = (vectors / np.linalg.norm(vectors, axis=1)[:, None] for vectors in rng.normal(size=(3, 80, 128)))
    index = FingerprintIndex.build(["song"], [song.astype(np.float32)[::2]], version="v1")
    excerpts = [Excerpt("song", song.astype(np.float32)[:40])]
    strangers, sounds_ = ([Excerpt(name, some.astype(np.float32))] for name, some in (("other", other), ("hum", hum)))
    data = Development(index, excerpts, strangers, sounds_)

    assert [found.recording for found in data.negatives(5)] == ["other", "hum", "song"]
    assert [(found.recording, found.is_found) for found in data.uses(5)] == [("song", True)]


def test_the_summary_counts_speech_apart_from_the_31(capsys: pytest.CaptureFixture[str]) -> None:
    """Every distortion is found and speech is not: the mean stays at 100 %, the rows of speech are at 0 %."""
    uses = [result(name, f"r{n}", 2.5, is_found=True) for name in DISTORTIONS for n in range(3)]
    covered = [result(name, "r0", 2.5, is_found=False) for name in SPEECH]
    strangers = [result("clean", f"s{n}", 2.1 if n == 0 else 0.1, is_found=False) for n in range(10)]
    silent = [result("none", "hum 1", 0.0, is_found=False)]

    figures = summary(Results([*uses, *covered], strangers, strangers, silent))
    print_summary({10: figures, 5: figures})

    assert figures["mean over the 31"] == "100.0% [100.0%, 100.0%]"
    assert figures["under speech, 6 dB louder"] == "0.0% [0.0%, 0.0%]"
    assert figures["real strangers let in"].startswith("10.00%")
    assert figures["real strangers let in at the .1 % point"].startswith("0.00%")
    assert figures["sounds that are no music let in"].startswith("0.00%")
    printed = capsys.readouterr().out
    assert "| | 10 s | 5 s |\n|---|---|---|\n| mean over the 31, first at any score | 100.0% | 100.0% |" in printed
    assert not any("speech" in row for row in summary(Results(uses, strangers, strangers, silent)))


def test_two_indexes_make_each_others_recordings_strangers() -> None:
    """What an index holds is no stranger to it; nor is what the calibration heard as a stranger."""
    train = [Path(f"{package}__{number:03}.opus") for package in "abcdef" for number in range(50)]
    held_back = {part: [Path(f"{part}__{number}.opus") for number in range(3)] for part in ("queried", "strangers")}
    calibration = {part: [Path(f"{part}__0.opus")] for part in ("calibration", "calibration strangers")}

    first, second = sides(held_back | calibration | {"train": train})

    assert set(first.strangers).isdisjoint(first.indexed)
    assert set(second.strangers).isdisjoint(second.indexed)
    assert set(held_back["strangers"]) < set(first.strangers) & set(second.indexed)
    assert set(held_back["queried"]) < set(second.strangers) & set(first.indexed)
    strangers = {path for side in (first, second) for path in side.strangers}
    assert {path.name[0] for path in strangers & set(train)} == {"b", "c", "e", "f"}
    assert strangers.isdisjoint(calibration["calibration strangers"])
    mixed_in = set(train[N_FILLING : N_FILLING + N_OTHERS])
    assert mixed_in.isdisjoint(first.indexed)
    assert mixed_in.isdisjoint(second.indexed)
