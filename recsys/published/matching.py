"""Matching against the published release: from the command line and from a page."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import polars as pl

from recsys.arrays import F32
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.home import Home
from recsys.library.music_folders import find_recording
from recsys.library.settings import AudioSettings
from recsys.matching import catalogue_index, cue_sheets
from recsys.matching.fingerprint_index import FingerprintIndex
from recsys.matching.hear_files import SPAN, listened_again
from recsys.matching.pitch import excerpt_of
from recsys.matching.report import Found, write
from recsys.matching.uses import Use
from recsys.recipe import Recipe
from recsys.releases import registry
from recsys.warehouse.query import Warehouse


def match(
    home: Home,
    path: Path,
    recipe: Recipe,
    *,
    against: Path | None = None,
    progress: Callable[[Path], None] = lambda _path: None,
) -> Found:
    """
    Find the recordings of the published catalogue in a file, or in the files of a folder.

    Args:
        home: Its published release is asked.
        path: The file or folder.
        recipe: Limits of the processes that listen.
        against: A folder of music that is asked instead of the release.
        progress: Called with each file once it is looked through.

    Raises:
        InputError: There is nothing there, or no recording was scanned yet.
        StaleIndex: The index was made by another network.
        SetupError: The index is damaged.
    """
    paths = cue_sheets.queries(path)
    prints, whose = _catalogue(home) if against is None else catalogue_index.of_folder(against, limits(recipe))
    return Found(
        cue_sheets.cue_sheets(paths, prints, limits(recipe), progress=progress), whose, cue_sheets.calibration()
    )


def _catalogue(home: Home) -> tuple[FingerprintIndex, pl.DataFrame]:
    release = registry.current(home)
    if release is None or release.prints is None:
        raise InputError(
            "The release has no fingerprints yet. Scan some music: recsys audio scan FOLDER, recsys build; "
            "or ask a folder of music: recsys match FILE --against FOLDER"
        )
    with Warehouse.open(release.warehouse) as warehouse:
        return catalogue_index.load(release.prints), catalogue_index.owners(warehouse)


def limits(recipe: Recipe) -> AudioSettings:
    """Return the limits under which files are heard that recordings are looked for in."""
    return replace(recipe.audio, limit_s=recipe.matching.limit_s)


def report(home: Home, found: Found, form: str, path: Path, recipe: Recipe) -> None:
    """Write a report as `html`, `csv` or `json`."""
    if form != "html":
        write(found, form, path)
        return
    from recsys.reports.matching import write_page  # noqa: PLC0415 - plots are an extra

    write_page(found, _references(home, found, limits(recipe)), path)


def _references(home: Home, found: Found, settings: AudioSettings) -> dict[tuple[Path, int], F32]:
    """Hear what the recordings sound like beside each cue, where their files are at hand."""
    files = {row["audio_id"]: row["file"] for row in found.owners.drop_nulls("file").iter_rows(named=True)}
    cues = [(sheet.path, n, cue.use) for sheet in found.sheets for n, cue in enumerate(sheet.cues)]
    paths = {
        name: find_recording(home, files[name], name) for name in {use.audio_id for _, _, use in cues} & files.keys()
    }
    wanted: dict[Path, list[tuple[tuple[Path, int], SPAN]]] = {}
    for path, n, use in cues:
        if (own := paths.get(use.audio_id)) is not None:
            wanted.setdefault(own, []).append(((path, n), _span(use)))
    heard = (
        listened_again({own: [span for _, span in each] for own, each in wanted.items()}, settings) if wanted else ()
    )
    return {
        key: sound
        for own, sounds in heard
        if not isinstance(sounds, Failure)
        for (key, _), sound in zip(wanted[own], sounds, strict=True)
    }


def _span(use: Use) -> SPAN:
    starts_s, ends_s = excerpt_of(use)
    begins_s = use.reference_starts_s + use.tempo_ratio * (starts_s - use.starts_s)
    return max(0.0, begins_s), begins_s + use.tempo_ratio * (ends_s - starts_s)
