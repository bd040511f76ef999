"""Facts of a folder of stems and what to try, for `recsys mix`: in a worker process with limits."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from recsys.audio.sandbox import run_one
from recsys.audio.signal import UnreadableAudio, resample
from recsys.errors import InputError
from recsys.files import is_audio, is_hidden, printable, write_text
from recsys.library.files import COMPANION_SUFFIXES
from recsys.library.settings import AudioSettings
from recsys.studio.files import Recording, read_recording, require_distinct
from recsys.studio.mix.advice import (
    Advice,
    Differences,
    against_mix,
    against_stems,
    against_takes,
    faults,
    mismatches,
)
from recsys.studio.mix.bands import BROAD, BroadBand
from recsys.studio.mix.facts import PairFacts, Stem, StemFacts, pairs_of, stem_of
from recsys.studio.mix.reference import same_takes

MAX_STEMS = 64
NOT_COMPARED = Differences((), (), 0)


@dataclass(frozen=True)
class MixReport:
    """
    Facts of stems and what to try.

    Attributes:
        stems: Facts of each stem, in the order of their names.
        pairs: Facts of each two that are not silent.
        mix_peak_db: Peak of their sum [dB of full scale]; None for silence.
        notes: What makes a comparison incomplete, in sentences.
        reference: What the reference was compared as; empty without one.
        too_large: Differences from the reference that are too large to be advised, in sentences.
        n_compared: How many levels of stems or bands were compared with the reference.
        advice: What to try: faults, then differences from the reference by how much of them a change removes.
        bands_hz: Ranges of frequencies of the facts by band [Hz].
    """

    stems: tuple[StemFacts, ...]
    pairs: tuple[PairFacts, ...]
    mix_peak_db: float | None
    notes: tuple[str, ...]
    reference: str
    too_large: tuple[str, ...]
    n_compared: int
    advice: tuple[Advice, ...]
    bands_hz: tuple[BroadBand, ...] = BROAD


@dataclass(frozen=True)
class MeasureMix:
    """
    A task for a worker process: measure the stems in a folder.

    Attributes:
        reference: A folder of stems with the same names, or a mix; None for none.
    """

    reference: Path | None

    def __call__(self, folder: Path) -> MixReport:
        """Measure and compare; raises UnreadableAudio or InputError."""
        paths = stem_paths(folder)
        total = _Sum()
        stems = [_read(path, total) for path in paths]
        pairs = pairs_of(stems)
        facts = tuple(stem.facts for stem in stems)
        advice = faults(facts, pairs, total.peak_db)
        compared, found, notes = _compared(stems, self.reference) if self.reference else ("", NOT_COMPARED, [])
        known = {(it.kind, it.stem) for it in advice}
        return MixReport(
            stems=facts,
            pairs=tuple(pairs),
            mix_peak_db=total.peak_db,
            notes=(*_skipped(folder), *mismatches(facts), *notes),
            reference=compared,
            too_large=found.too_large,
            n_compared=found.n_compared,
            advice=(*advice, *(it for it in found.advice if (it.kind, it.stem) not in known)),
        )


class _Sum:
    """The sum of stems, at the rate of the first, as stereo."""

    def __init__(self) -> None:
        self._samples, self._rate_hz = np.zeros((2, 0), np.float32), 0

    def add(self, recording: Recording) -> None:
        """Add a stem: one channel to both sides, of more than two their mean."""
        self._rate_hz = self._rate_hz or recording.rate_hz
        channels = recording.samples
        if len(channels) != 2:
            channels = channels.mean(axis=0, keepdims=True, dtype=np.float32)
        sides = np.stack([resample(channel, recording.rate_hz, self._rate_hz) for channel in channels])
        more = sides.shape[1] - self._samples.shape[1]
        self._samples = np.pad(self._samples, ((0, 0), (0, max(0, more))))
        self._samples[:, : sides.shape[1]] += sides

    @property
    def peak_db(self) -> float | None:
        """Peak [dB of full scale]; None for silence."""
        peak = float(np.abs(self._samples).max(initial=0.0))
        return float(20 * np.log10(peak)) if peak else None


def _read(path: Path, total: _Sum | None = None) -> Stem:
    try:
        recording = read_recording(path)
    except UnreadableAudio as unreadable:
        raise InputError(str(unreadable)) from None
    if total is not None:
        total.add(recording)
    return stem_of(printable(path.stem), recording)


def _compared(stems: Sequence[Stem], reference: Path) -> tuple[str, Differences, list[str]]:
    """Compare stems with a reference: how, the differences, and what could not be compared; InputError for silence."""
    others = [_read(path) for path in (stem_paths(reference) if reference.is_dir() else [reference])]
    if all(other.facts.crest_db is None for other in others):
        raise InputError(f"{printable(str(reference))} is silent. Give a reference with sound")
    if reference.is_dir():
        names = {stem.facts.name for stem in others}
        missing = [stem.facts.name for stem in stems if stem.facts.name not in names]
        if len(missing) == len(stems):
            raise InputError(
                f"{reference}: no stem has the name of one of yours ({', '.join(missing[:5])}). Name those that "
                "correspond alike, such as vocals.wav"
            )
        silent = [it.facts.name for it in others if it.facts.crest_db is None and it.facts.name not in missing]
        notes = [f"The reference has no {name}" for name in missing]
        notes += [f"{name} is silent in the reference" for name in silent]
        return "stems", against_stems(stems, others), [*_skipped(reference), *notes]
    (mix,) = others
    if (takes := same_takes(stems, mix)) is not None:
        measured = {name for name, _ in takes.gains_db}
        quiet = [stem.facts.name for stem in stems if stem.facts.name not in measured]
        notes = [f"{name} is too quiet in the reference to be compared" for name in quiet]
        return f"a mix of the same takes ({takes.explained:.0%} explained)", against_takes(takes), notes
    note = "The reference is a mix of other takes: only the balance of the whole mix is compared"
    return "a mix of other takes", against_mix(stems, mix), [note]


def stem_paths(folder: Path) -> list[Path]:
    """
    Return the stems in a folder, by name.

    Raises:
        InputError: It is not a folder, has no audio file, too many, or two of the same name.
    """
    if not folder.is_dir():
        raise InputError(f"{folder} is not a folder. Give a folder with one audio file per stem")
    paths = [path for path in _files(folder) if is_audio(path)]
    if not paths or len(paths) > MAX_STEMS:
        raise InputError(f"{folder}: found {len(paths)} audio files, expected 1 to {MAX_STEMS}, one per stem")
    names = [path.stem for path in paths]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{folder}: found several files named {printable(repeated[0])!r}, expected one per stem")
    return paths


def _files(folder: Path) -> list[Path]:
    """Return the files in a folder, sorted, without hidden ones."""
    return sorted(path for path in folder.iterdir() if not path.is_dir() and not is_hidden(path, folder))


def _skipped(folder: Path) -> list[str]:
    """Say which files are no audio by their ending, such as those of a sequencer, and do not commonly lie beside it."""
    others = [path.name for path in _files(folder) if not is_audio(path)]
    names = [printable(name) for name in others if Path(name).suffix.lower() not in COMPANION_SUFFIXES]
    return [f"Skipped, since their endings are not those of audio: {', '.join(names)}"] if names else []


def mix(folder: Path, settings: AudioSettings, reference: Path | None = None, report: Path | None = None) -> MixReport:
    """
    Measure the stems in a folder and say what to try.

    Args:
        folder: One audio file per stem.
        settings: Time and memory limits.
        reference: A folder of stems with the same names, or a mix.
        report: File for the report as JSON.

    Raises:
        InputError: A file cannot be read, the folder holds no stems, or the report would replace one of them.
        SetupError: The extra audio is not installed.
    """
    read = stem_paths(folder)
    if reference is not None and not reference.exists():
        raise InputError(f"{reference} does not exist. Give a folder of stems, or a mix")
    if reference is not None:
        read += stem_paths(reference) if reference.is_dir() else [reference]
    if report:
        require_distinct([report], read)
    found = run_one(MeasureMix(reference), folder, limit_s=settings.limit_s, limit_bytes=settings.limit_gb << 30)
    if report:
        write_text(report, json.dumps(asdict(found), indent=1, allow_nan=False) + "\n")
    return found
