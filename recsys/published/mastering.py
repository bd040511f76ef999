"""Mastering of one file against a reference of the published catalogue, for `recsys master`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypedDict

import numpy as np
import polars as pl

from recsys.audio.mastering.balance import Comparison, Reference
from recsys.audio.mastering.chain import Plan, for_copy, plan, write_copy
from recsys.audio.mastering.facts import Facts, measure
from recsys.audio.mastering.mastered import Mastered
from recsys.audio.mastering.platforms import PLATFORMS, Platform, Playback, playback
from recsys.audio.sandbox import run_one
from recsys.audio.writing import FORMS, form_of
from recsys.errors import InputError
from recsys.files import is_audio, printable, remove_abandoned, sha256_of
from recsys.library.settings import AudioSettings
from recsys.warehouse.internal import internal_sql
from recsys.warehouse.query import Warehouse

Published: TypeAlias = Callable[[], Path]

OWN_ARTIST, CATALOGUE = "artist", "catalogue"  # as values of --reference
MOST_NAMED = 10  # artists in a message
TIMES_LIMIT = 20  # by which one file of hours may exceed the time limit of a scan


@dataclass(frozen=True)
class Recordings:
    """
    Measured recordings of the catalogue as a reference.

    Attributes:
        artist_id: Of the artist; '' for all recordings.
    """

    artist_id: str = ""


Named: TypeAlias = str | Path | Recordings  # a name as it is typed may stand for a file or for an artist


@dataclass(frozen=True)
class Wishes:
    """
    What is asked of `recsys master`.

    Attributes:
        reference: A file, recordings, or a name: of a file, an artist's id or name, 'artist' (that of the file) or
            'catalogue'; None compares nothing.
        target: Name of a platform; None keeps the loudness.
        n_bits: Bits of the copy, 16 or 24; None decides by the file.
        seed: Seed of the dither.
    """

    reference: Named | None = None
    target: str | None = None
    n_bits: int | None = None
    seed: int = 0

    @property
    def change_nothing(self) -> bool:
        """Whether a copy is to have the bytes of the file."""
        return self.reference is None and self.target is None and self.n_bits is None


def name_of_copy(path: Path, wishes: Wishes) -> Path:
    """Return `<name>.mastered.<suffix>` beside a file: with its own suffix, or .wav if that cannot be written."""
    has_own = wishes.change_nothing or path.suffix.lower() in FORMS
    return path.with_name(f"{path.stem}.mastered{path.suffix if has_own else '.wav'}")


def check_files(path: Path, copy: Path | None, report: Path | None, wishes: Wishes) -> None:
    """
    Check the names of all files before anything is measured.

    Args:
        path: The file to measure.
        copy: The copy to write, if any. What has its name already is replaced.
        report: The report to write, if any. What has its name already is replaced.
        wishes: With the reference, if any.

    Raises:
        InputError: Two of them are the same file, or the copy has a suffix that is not written.
    """
    reference = None if isinstance(wishes.reference, Recordings) else Path(wishes.reference or "")
    named = [path, *(it for it in (reference,) if it and it.is_file()), *(it for it in (copy, report) if it)]
    for n, one in enumerate(named):
        for other in named[:n]:
            if _are_same(one, other):
                raise InputError(
                    f"{printable(str(one))} is named twice: the file, --reference, --out and --report need names of "
                    "their own. Name another file"
                )
    if copy is not None and not (wishes.change_nothing and copy.suffix.lower() == path.suffix.lower()):
        form_of(copy)


def _are_same(one: Path, other: Path) -> bool:
    return one.resolve() == other.resolve() or (one.exists() and other.exists() and one.samefile(other))


def examine(published: Published, path: Path, settings: AudioSettings, wishes: Wishes) -> Mastered:
    """
    Measure a file, in a separate process, and compare it with the reference.

    Args:
        published: Returns the warehouse that may be read; only a reference in the catalogue needs one.
        path: The file.
        settings: Limits of the process.
        wishes: Reference and target.

    Raises:
        InputError: The file cannot be decoded, or the reference is not found.
    """
    facts = run_one(measure, path, **limits_of(settings))
    levels = facts.delivery.band_levels_db
    reference = None if wishes.reference is None else reference_of(published, wishes.reference, path, settings)
    comparison = None if reference is None or levels is None else Comparison.of(levels, reference)
    return Mastered(path, facts, comparison, _playbacks(facts, wishes.target))


def write_mastered(seen: Mastered, out: Path, settings: AudioSettings, wishes: Wishes) -> Mastered:
    """Write the processed copy of an examined file, in a separate process, and measure it."""
    target = None if wishes.target is None else PLATFORMS[wishes.target]
    task = partial(_copy, out=out, seen=seen, target=target, wishes=wishes)
    try:
        done = run_one(task, seen.path, **limits_of(settings))
    finally:  # a process that was stopped cannot remove its own
        remove_abandoned(out)
    return replace(seen, copy=out, plan=done, after=run_one(measure, out, **limits_of(settings)))


def reference_of(published: Published, named: Named, path: Path, settings: AudioSettings) -> Reference:
    """
    Return the reference that is meant.

    Raises:
        InputError: There is no such file or artist, or nothing of it was measured.
    """
    if isinstance(named, Recordings):
        return _of_recordings(published, named, path)
    file = Path(named)
    if file.is_file():
        return _of_file(file, settings)
    if isinstance(named, Path) or is_audio(file):
        raise InputError(f"There is no file {named}. Give a file, an artist (recsys find WORDS), artist or catalogue")
    return _of_name(published, named, path)


def _of_name(published: Published, name: str, path: Path) -> Reference:
    with Warehouse.open(published()) as warehouse:
        artist = _artist_of(warehouse, path) if name == OWN_ARTIST else "" if name == CATALOGUE else name
        found = warehouse.query(internal_sql("band_levels"), {"artist": artist})
    others = _without(path, _of_one_artist(found, artist))
    if others.is_empty():
        raise InputError(
            f"There is no file {name!r}, and no measured recording of such an artist other than the file itself. "
            "Name an artist (recsys find WORDS), or scan music and build: recsys audio scan FOLDER, then recsys build"
        )
    return _of_rows(others, artist)


def _of_recordings(published: Published, named: Recordings, path: Path) -> Reference:
    with Warehouse.open(published()) as warehouse:
        found = warehouse.query(internal_sql("band_levels"), {"artist": named.artist_id})
    meant = found.filter(artist_id=named.artist_id) if named.artist_id else found
    others = _without(path, meant)
    if others.is_empty():
        raise InputError("The reference has no measured recording other than the file itself. Choose another reference")
    return _of_rows(others, named.artist_id)


def _without(path: Path, found: pl.DataFrame) -> pl.DataFrame:
    """Return rows without those of the recording with the bytes of a file."""
    own = pl.col("audio_id") == sha256_of(path)
    return found.filter(~own.fill_null(value=False))


def _of_rows(rows: pl.DataFrame, artist: str) -> Reference:
    title = "the catalogue" if not artist else f"the releases of {rows['artist_name'][0] or artist}"
    return Reference(f"the {rows.height:,} recordings of {title}", np.array(rows["band_levels_db"].to_list()))


def _of_one_artist(found: pl.DataFrame, artist: str) -> pl.DataFrame:
    """Return the rows of the artist with an id, or else the only one with a name; all rows without an artist."""
    ids = found["artist_id"].unique().drop_nulls().sort().to_list()
    if not artist or len(ids) < 2:
        return found
    if artist in ids:
        return found.filter(artist_id=artist)
    raise InputError(f"{len(ids):,} artists are named {artist!r}. Give an id: {', '.join(ids[:MOST_NAMED])}")


def _of_file(file: Path, settings: AudioSettings) -> Reference:
    levels = run_one(measure, file, **limits_of(settings)).delivery.band_levels_db
    if levels is None:
        raise InputError(f"{file} is silent or shorter than 0.2 s, so it is no reference. Give another file")
    return Reference(file.name, np.array([levels]))


def _artist_of(warehouse: Warehouse, path: Path) -> str:
    """Return the artist of the recording with the bytes of a file."""
    own = warehouse.query(internal_sql("band_levels"), {"artist": ""}).filter(audio_id=sha256_of(path))
    artists = own["artist_id"].drop_nulls()
    if artists.is_empty():
        raise InputError(
            f"{path} is not in the catalogue, so its artist is unknown. Give its artist: --reference ARTIST"
        )
    return str(artists[0])


def _playbacks(facts: Facts, target: str | None) -> tuple[Playback, ...]:
    level, peak = facts.loudness.loudness_lufs, facts.loudness.true_peak_dbtp
    if level is None or peak is None:
        return ()
    chosen = PLATFORMS.values() if target is None else [PLATFORMS[target]]
    return tuple(playback(platform, level, peak) for platform in chosen)


def _copy(path: Path, *, out: Path, seen: Mastered, target: Platform | None, wishes: Wishes) -> Plan:
    decided = for_copy(
        replace(plan(path, seen.facts, seen.comparison, target, wishes.n_bits), seed=wishes.seed),
        *(path, out, seen.facts, wishes.n_bits),
    )
    write_copy(path, out, decided)
    return decided


class _Limits(TypedDict):
    limit_s: float
    limit_bytes: int


def limits_of(settings: AudioSettings) -> _Limits:
    """Return the limits of the process that measures or writes one file."""
    return {"limit_s": TIMES_LIMIT * settings.limit_s, "limit_bytes": settings.limit_gb << 30}
