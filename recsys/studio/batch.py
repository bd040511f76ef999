"""Run a tool on a file, or on each file of a folder, in worker processes, and name the files that it writes."""

import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from recsys.audio.sandbox import Failure, Workers
from recsys.errors import InputError
from recsys.files import remove_abandoned
from recsys.library.files import possible_audio
from recsys.library.settings import AudioSettings
from recsys.studio.files import require_distinct

Result = TypeVar("Result")
Name = TypeVar("Name", bound=str)
Outputs = Mapping[Path, Mapping[Name, Path]]  # source file -> what is written -> path
Progress = Callable[[Path, float], None]  # a file and the share of it that is done, 0..1

LONGEST_NAME = 255  # [bytes], of a file on common file systems


@dataclass(frozen=True)
class BatchReport(Generic[Result]):
    """
    Results of a tool.

    Attributes:
        outputs: What was to be written, by source file.
        results: Result of each file that succeeded, in the order of `outputs`.
        failures: Why the others did not.
    """

    outputs: Outputs[Any]
    results: Mapping[Path, Result]
    failures: Mapping[Path, Failure]

    def require_complete(self) -> None:
        """Raise InputError if a file failed; the others are written."""
        if self.failures:
            raise InputError(
                f"{len(self.failures):,} of {len(self.outputs):,} files could not be processed; see above. "
                "Replace or remove them"
            )


def outputs_of(path: Path, out: Path, names: Sequence[Name], suffix: str) -> Outputs[Name]:
    """
    Name the files that a tool writes: `<name of the source>.<name of the output>.<suffix>`.

    Args:
        path: A file, or a folder, whose subfolders are repeated in `out`. Files in `out` are no sources.
        out: The folder to write to.
        names: What is written of each file.
        suffix: Of the files to write, without its dot.

    Raises:
        InputError: There is no file, or an output would replace a source or another output.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist. Give an audio file, or a folder with audio files")
    folder = path if path.is_dir() else path.parent
    paths = [path]
    if path.is_dir():
        paths = [found for found in possible_audio(path) if not found.resolve().is_relative_to(out.resolve())]
    outputs = {
        source: {name: out / source.parent.relative_to(folder) / f"{stem}.{name}.{suffix}" for name in names}
        for source, stem in zip(paths, _stems(paths), strict=True)
    }
    if not outputs:
        raise InputError(f"{path} contains no audio file. Give an audio file, or a folder with audio files")
    require_distinct([target for written in outputs.values() for target in written.values()], paths)
    return outputs


def _stems(paths: Sequence[Path]) -> list[str]:
    """Return the name of each file without its suffix, or with it where several files in a folder would share it."""
    names = [path.with_suffix("") for path in paths]
    while repeated := {name for name, n in Counter(names).items() if n > 1}:  # a.mp3, a.wav; then a.mp3, a.mp3.wav
        names = [path if name in repeated else name for path, name in zip(paths, names, strict=True)]
    return [name.name for name in names]


def run_batch(
    task: Callable[[Path], Result], outputs: Outputs[Name], limits: AudioSettings, progress: Progress
) -> BatchReport[Result]:
    """
    Run a task on every source file, each within limits; interrupted, it leaves no incomplete file.

    A file whose outputs would have names that are too long for a file system is a failure.

    Args:
        task: Writes the outputs of a file, by `files.new_files`.
        outputs: The source files, and what is written of each.
        limits: Number and memory of the workers, and the longest time without progress.
        progress: Called as files are processed, and with 1 as each is finished.
    """
    results: dict[Path, Result | Failure] = {}
    for path, targets in outputs.items():
        longest = max(len(os.fsencode(target.name)) for target in targets.values())
        if longest > LONGEST_NAME:
            message = f"the name of what is written has {longest} bytes, expected {LONGEST_NAME} at most (rename it)"
            results[path] = Failure("not_writable", message)
            progress(path, 1.0)
    paths = [path for path in outputs if path not in results]
    try:
        with Workers(
            task,
            n_workers=min(limits.workers, len(paths)),
            limit_s=limits.limit_s,
            limit_bytes=limits.limit_gb << 30,
        ) as workers:
            for path, result in workers.map(paths, progress):
                results[path] = result
                progress(path, 1.0)
    finally:  # a worker that was stopped or killed cannot remove its own
        for target in (target for targets in outputs.values() for target in targets.values()):
            remove_abandoned(target)
    found = {path: results[path] for path in outputs}
    return BatchReport(
        outputs,
        {path: result for path, result in found.items() if not isinstance(result, Failure)},
        {path: result for path, result in found.items() if isinstance(result, Failure)},
    )
