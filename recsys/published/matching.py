"""Copyright matching of audio files with the published catalogue, for `recsys match` and the page of matches."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from recsys.arrays import F32
from recsys.audio.sandbox import Failure
from recsys.errors import InputError
from recsys.home import Home
from recsys.library.music_folders import find_recording
from recsys.library.settings import AudioSettings
from recsys.matching import catalogue_index, cue_sheets
from recsys.matching.audio_tasks import Span, read_spans
from recsys.matching.calibrate import Recalibration, recalibrate
from recsys.matching.catalogue_index import IndexedMusic
from recsys.matching.pitch import excerpt_of
from recsys.matching.report import MatchReport, write
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
) -> MatchReport:
    """
    Find the uses of catalogue recordings in an audio file, or in each file of a folder.

    Args:
        home: The home of the published release.
        path: The file or folder.
        recipe: Contains the limits of the worker processes.
        against: A folder of music to compare with; None compares with the published catalogue.
        progress: Called with the path of each file that has been searched.

    Raises:
        InputError: There is no file at `path`, no music in `against`, or the release has no fingerprints.
        StaleIndex: The fingerprint index was made by another version of the network.
        SetupError: The fingerprint index is damaged.
    """
    limits = matching_limits(recipe)
    paths = cue_sheets.query_files(path)
    catalogue = _catalogue(home) if against is None else catalogue_index.index_folder(against, limits)
    calibration = cue_sheets.calibration_of(home.calibration)
    sheets = cue_sheets.cue_sheets(paths, catalogue.index, limits, calibration, progress=progress)
    return MatchReport(sheets, catalogue.owners, calibration, catalogue.failures)


def calibrate(
    home: Home,
    folder: Path,
    recipe: Recipe,
    *,
    against: Path | None = None,
    progress: Callable[[Path], None] = lambda _path: None,
) -> Recalibration:
    """
    Set the thresholds of the home's matches on a folder of strangers, music that is not in the catalogue.

    Args:
        home: The home; later matches and nightly runs use the thresholds.
        folder: The strangers.
        recipe: Contains the limits of the worker processes.
        against: A folder of music that takes the place of the published catalogue.
        progress: Called with the path of each file that has been fingerprinted.

    Raises:
        InputError: There are too few strangers, no music in `against`, or the release has no fingerprints.
    """
    limits = matching_limits(recipe)
    paths = cue_sheets.query_files(folder)
    catalogue = _catalogue(home) if against is None else catalogue_index.index_folder(against, limits)
    found = recalibrate(paths, catalogue.index, limits, progress=progress)
    found.calibration.save(home.calibration)
    return replace(found, failures=found.failures | catalogue.failures)


def _catalogue(home: Home) -> IndexedMusic:
    release = registry.current(home)
    if release is None or release.fingerprints is None:
        raise InputError(
            "The release has no fingerprints yet. Scan some music: recsys audio scan FOLDER, recsys build; "
            "or match against a folder of music: recsys match FILE --against FOLDER"
        )
    with Warehouse.open(release.warehouse) as warehouse:
        return IndexedMusic(catalogue_index.load(release.fingerprints), catalogue_index.owners(warehouse), {})


def matching_limits(recipe: Recipe) -> AudioSettings:
    """Return the limits of processes that decode query files: those of [audio], with [matching]'s time limit."""
    return replace(recipe.audio, limit_s=recipe.matching.limit_s)


def write_report(home: Home, report: MatchReport, form: str, path: Path, recipe: Recipe) -> None:
    """Write a report to a file; `form` is html, csv or json."""
    if form != "html":
        write(report, form, path)
        return
    from recsys.reports.matching import write_page  # noqa: PLC0415 - plots are an extra

    write_page(report, _references(home, report, matching_limits(recipe)), path)


def _references(home: Home, report: MatchReport, settings: AudioSettings) -> dict[tuple[Path, int], F32]:
    """Return the recording's sound at each cue whose recording has a file, by query file and cue number."""
    files = {row["audio_id"]: row["file"] for row in report.owners.drop_nulls("file").iter_rows(named=True)}
    cues = [(sheet.path, n, cue.use) for sheet in report.sheets for n, cue in enumerate(sheet.cues)]
    paths = {
        name: find_recording(home, files[name], name) for name in {use.audio_id for _, _, use in cues} & files.keys()
    }
    cues_of: dict[Path, list[tuple[tuple[Path, int], Span]]] = {}  # by file of the recording
    for path, n, use in cues:
        if (reference := paths.get(use.audio_id)) is not None:
            cues_of.setdefault(reference, []).append(((path, n), _reference_span(use)))
    spans = {reference: [span for _, span in keyed] for reference, keyed in cues_of.items()}
    return {
        key: sound
        for reference, sounds in (read_spans(spans, settings) if spans else ())
        if not isinstance(sounds, Failure)
        for (key, _), sound in zip(cues_of[reference], sounds, strict=True)
    }


def _reference_span(use: Use) -> Span:
    """Return start and end, in recording time [s], of the part that corresponds to `excerpt_of(use)`."""
    starts_s, ends_s = excerpt_of(use)
    begins_s = use.reference_starts_s + use.tempo_ratio * (starts_s - use.starts_s)
    return max(0.0, begins_s), begins_s + use.tempo_ratio * (ends_s - starts_s)
