"""
Tunes in the nightly run: which recordings have the same tune as another one, or as a work whose notes are at hand.

Each recording is searched once among those that were searched before it, and each file of notes among all recordings;
new recordings are also searched for the tunes of earlier files. A night searches a limited number of new ones. What was
found of a recording that is taken down, or of a file that is gone, is forgotten, and also that it was searched. No
index of tunes is kept: the chromagrams are read from the built warehouse.
"""

from collections import defaultdict
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from recsys import columns
from recsys.arrays import F32
from recsys.audio.features.chromagram import chromagram_of
from recsys.errors import InputError, SetupError
from recsys.files import short_hash
from recsys.matching.tunes.history import (
    NOTES,
    SOUND,
    TUNE_CANDIDATES_COLUMNS,
    TUNE_CHECKS_COLUMNS,
    TuneHistory,
)
from recsys.matching.tunes.melody import Melody
from recsys.matching.tunes.reading import read_tunes, tune_files
from recsys.matching.tunes.sound import (
    LEAST_FRAMES,
    TEMPOS_OF_NOTES,
    USUAL,
    SoundIndex,
    SoundMatch,
    chromagram_of_notes,
)


@dataclass(frozen=True)
class NotedTune:
    """
    A work in notes.

    Attributes:
        id: Hash of the paths and bytes of its files.
        name: Key of the work: the path of each file in the folder, without its ending.
        melodies: The melodies of its files that can be compared.
    """

    id: str
    name: str
    melodies: tuple[Melody, ...]


@dataclass(frozen=True)
class NotedTunes:
    """
    The works in notes of a folder.

    Attributes:
        tunes: The works of which a melody can be compared.
        refused: Why files of works cannot be compared, by their path in the folder.
        n_others: Number of files whose path, without its ending, is the key of no work.
    """

    tunes: list[NotedTune]
    refused: dict[str, str]
    n_others: int


def read_noted_tunes(folder: Path, work_keys: Container[str]) -> NotedTunes:
    """Read the works in notes: the files whose path in a folder, without its ending, is the key of a work."""
    files, n_others = defaultdict[str, list[Path]](list), 0
    for path in tune_files(folder):
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in work_keys:
            files[name].append(path)
        else:
            n_others += 1
    tunes, refused = list[NotedTune](), dict[str, str]()
    for name, paths in files.items():
        melodies = list[Melody]()
        for path in paths:
            found, reason = _melodies(path)
            melodies += found
            if not found:
                refused[path.relative_to(folder).as_posix()] = reason
        if melodies:
            own_id = short_hash(name, *(path.read_bytes().hex() for path in paths))
            tunes.append(NotedTune(own_id, name, tuple(melodies)))
    return NotedTunes(tunes, refused, n_others)


def _melodies(path: Path) -> tuple[list[Melody], str]:
    """Return the melodies of a file, and why others of it cannot be compared."""
    try:
        read = read_tunes(path)
    except (InputError, SetupError) as unreadable:
        return [], str(unreadable)
    return read.melodies, "; ".join(read.refused.values())


def extend_history(
    texts: Mapping[str, str], notes: Sequence[NotedTune], last: TuneHistory, *, most: int, found_on: date
) -> TuneHistory:
    """
    Search the tunes that earlier runs have not searched.

    Args:
        texts: Chromagram of each recording by audio_id (`recsys.audio.features.chromagram`); those of less than 20 s
            are not compared.
        notes: The files of notes.
        last: The searches and results of earlier runs.
        most: Largest number of recordings that are searched.
        found_on: Date that is stored in the new rows.

    Returns:
        The history of earlier runs without what is gone, followed by the new rows.
    """
    texts = {audio_id: text for audio_id, text in texts.items() if len(text) >= 12 * LEAST_FRAMES}
    left = last.without_gone(texts, [tune.id for tune in notes])
    heard, read = left.checked(SOUND), left.checked(NOTES)
    earlier = [audio_id for audio_id in texts if audio_id in heard]
    new = [audio_id for audio_id in texts if audio_id not in heard][:most]
    ids = earlier + new
    searched = [(SOUND, audio_id) for audio_id in new]
    searched += [(NOTES, tune.id) for tune in notes if tune.id not in read]
    if not searched:
        return _counted(left)
    chromagrams = {audio_id: chromagram_of(texts[audio_id]) for audio_id in ids}
    found = {(SOUND, source): found for source, found in _sounds(ids, new, chromagrams, len(texts))}
    in_notes = _notes(notes, read, ids, new, chromagrams, n_strangers=len(texts))
    found |= {(NOTES, source): found for source, found in in_notes}
    names = {tune.id: tune.name for tune in notes}
    candidates = [
        {"source_kind": kind, "source_id": source, "source_name": names.get(source), **row, "found_on": found_on}
        for (kind, source), rows in found.items()
        for row in rows
    ]
    checks = [
        {"source_kind": kind, "source_id": source, "source_name": names.get(source), "checked_on": found_on}
        for kind, source in searched
    ]
    return _counted(_with_rows(left, candidates, checks))


def _sounds(
    ids: list[str], new: list[str], chromagrams: Mapping[str, F32], n_strangers: int
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return each new recording with the recordings before it that have its tune."""
    if not new:
        return []
    index = SoundIndex.of([chromagrams[audio_id] for audio_id in ids], n_strangers)
    place = {own: n for n, own in enumerate(ids)}
    return [
        (own, [_row(ids, match) for match in _passing(index.search(chromagrams[own])) if match.row < place[own]])
        for own in new
    ]


def _notes(
    notes: Sequence[NotedTune],
    known: set[str],
    ids: list[str],
    new: list[str],
    chromagrams: Mapping[str, F32],
    *,
    n_strangers: int,
) -> list[tuple[str, list[dict[str, Any]]]]:
    """Return each file with the recordings that have its tune: of all where the file is new, else of the new ones."""
    found = list[tuple[str, list[dict[str, Any]]]]()
    for is_known, searched in ((False, ids), (True, new)):
        tunes = [tune for tune in notes if (tune.id in known) == is_known]
        if not tunes or not searched:
            continue
        index = SoundIndex.of([chromagrams[audio_id] for audio_id in searched], n_strangers)
        found += [(tune.id, [_row(searched, match) for match in _best_of(index, tune)]) for tune in tunes]
    return found


def _best_of(index: SoundIndex, tune: NotedTune) -> list[SoundMatch]:
    """Return the recordings that have a tune of a file, each with its best one."""
    best = dict[int, SoundMatch]()
    for melody in tune.melodies:
        for match in _passing(index.search(chromagram_of_notes(melody), TEMPOS_OF_NOTES)):
            if match.row not in best or match.score > best[match.row].score:
                best[match.row] = match
    return list(best.values())


def _passing(matches: list[SoundMatch]) -> list[SoundMatch]:
    return [match for match in matches if match.expected <= USUAL]


def _row(ids: Sequence[str], match: SoundMatch) -> dict[str, Any]:
    return {
        "audio_id": ids[match.row],
        "score": match.score,
        "expected": match.expected,
        "transposition": match.transposition,
        "tempo_ratio": match.tempo_ratio,
        "starts_s": match.starts_s,
        "ends_s": match.ends_s,
        "other_starts_s": match.other_starts_s,
        "other_ends_s": match.other_ends_s,
    }


def _with_rows(last: TuneHistory, candidates: list[dict[str, Any]], checks: list[dict[str, Any]]) -> TuneHistory:
    """Append rows."""
    tables = (
        (last.candidates, candidates, TUNE_CANDIDATES_COLUMNS),
        (last.checks, checks, TUNE_CHECKS_COLUMNS),
    )
    return TuneHistory(
        *(
            pl.concat([table, pl.DataFrame(rows, schema=columns.schema(declared))], how="diagonal")
            for table, rows, declared in tables
        )
    )


def _counted(history: TuneHistory) -> TuneHistory:
    """Count what was found of each searched recording or file anew: some is found after its own search."""
    source = ["source_kind", "source_id"]
    counts = history.candidates.group_by(source).agg(n_found=pl.len().cast(pl.Int64))
    counted = history.checks.drop("n_found").join(counts, on=source, how="left", maintain_order="left")
    checks = counted.with_columns(pl.col("n_found").fill_null(0)).select(history.checks.columns)
    return TuneHistory(history.candidates, checks)
