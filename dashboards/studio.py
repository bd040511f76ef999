"""
A file of the viewer's own on the page Studio, and the tools at work on it in the background (see `studio_tools`).

An account has one file at a time, and one tool at work on it. The file lies in a folder of its own with everything that
is made of it, and all is removed when its page is left: while the page is open, it says so every `BEAT_S`, and `KEPT_S`
after the last time the file is closed. A tool that is stopped loses its worker process. Tools of all viewers share
as many threads as the recipe has workers, and wait for each other in the order in which they were started.
"""

import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread, Timer
from time import monotonic
from typing import Any, Literal, TypeAlias

import streamlit as st

from dashboards import access, data
from dashboards.markdown import as_markdown, fill
from recsys.errors import InputError
from recsys.library.settings import AudioSettings

Tool: TypeAlias = Literal["facts", "noise", "stems", "master"]
Progress: TypeAlias = Callable[[Path, float], None]

MAX_TOOL_S = 900  # that a tool may work in total
MAX_LIMIT_S, MAX_MASTER_LIMIT_S = 120, 12  # without a sign of progress; a 20th of what mastering a file may take [s]
N_NAME, N_SUFFIX = 120, 8  # bytes of a file's name, and characters of its suffix, that are kept
KEPT_S, BEAT_S, POLL_S = 300.0, 60.0, 0.5
AT_WORK: Mapping[Tool, str] = {
    "facts": "Measuring the file",
    "noise": "Measuring and removing noise",
    "stems": "Separating vocals and accompaniment",
    "master": "Mastering the file",
}
WAITING, ENDING = "Waiting for other viewers", "Waiting until your earlier tool is stopped"
_KEY = "studio_file"


@dataclass(frozen=True)
class Sound:
    """
    A file to play and to download.

    Attributes:
        title: What it is.
        path: The whole file.
        excerpt: 20 s of it as FLAC, from the same place as all others of the page.
    """

    title: str
    path: Path
    excerpt: bytes


@dataclass(frozen=True, eq=False)
class Done:
    """
    Result of a tool.

    Attributes:
        found: What the function of the command returned for the file.
        sounds: What it wrote; of "facts", the file itself.
        page: Report as an HTML page; None if there is none.
    """

    found: Any
    sounds: tuple[Sound, ...]
    page: bytes | None = None


class Job:
    """A tool that waits for its turn, works, or is done."""

    def __init__(self, pool: ThreadPoolExecutor, work: Callable[[Progress], Done]) -> None:
        self.share, self._ends_s = 0.0, 0.0
        self._is_stopped = Event()
        self.future: Future[Done] = pool.submit(self._run, work)

    def _run(self, work: Callable[[Progress], Done]) -> Done:
        from recsys.audio.sandbox import checked_by  # noqa: PLC0415 - audio is an extra

        self._ends_s = monotonic() + MAX_TOOL_S
        with checked_by(self._check):
            return work(self._note)

    def _check(self) -> None:
        if self._is_stopped.is_set():
            raise InputError("The tool was stopped. Start it again")
        if monotonic() > self._ends_s:
            raise InputError(f"The tool took longer than {MAX_TOOL_S:,} s and was stopped. Drop a shorter file")

    def _note(self, _path: Path, share: float) -> None:
        self._check()
        self.share = min(share, 1.0)

    @property
    def is_waiting(self) -> bool:
        """Whether it has not begun."""
        return not self.future.running() and not self.future.done()

    def stop(self) -> None:
        """Keep it from beginning, or end its worker process."""
        self._is_stopped.set()
        self.future.cancel()


class StudioFile:
    """
    The file that an account works on.

    Attributes:
        sha256: Of its content.
        path: Where it lies, under the readable part of its name.
        limits: Of the worker processes of a batch.
        master_limits: Of those that measure and master a file, in `published.mastering.limits_of`.
        jobs: The tools that were started on it, and not stopped.
        stopped: The tools that were stopped, and not started again.
        is_closed: Whether it was removed.
    """

    def __init__(self, name: str, content: bytes, limits: AudioSettings, futures: "list[Future[Done]]") -> None:
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.limits = replace(limits, limit_s=min(limits.limit_s, MAX_LIMIT_S))
        self.master_limits = replace(limits, limit_s=min(limits.limit_s, MAX_MASTER_LIMIT_S))
        self._folder = TemporaryDirectory(prefix="recsys-studio-", ignore_cleanup_errors=True)
        self._futures = futures  # of the account, also those of its earlier files
        self.path = self.place("file", name, content)
        self.jobs: dict[Tool, Job] = {}
        self.stopped: set[Tool] = set()
        self.is_closed = False
        self._timer = Timer(KEPT_S, self.close)
        self.keep()

    def place(self, folder: str, name: str, content: bytes) -> Path:
        """Write a file of the viewer to a folder beside it, in place of what was there."""
        path = Path(self._folder.name) / folder / _readable(name)
        path.parent.mkdir(exist_ok=True)
        for earlier in path.parent.iterdir():
            earlier.unlink()
        path.write_bytes(content)
        return path

    @property
    def out(self) -> Path:
        """Folder of what is made of it."""
        return Path(self._folder.name) / "out"

    @property
    def is_busy(self) -> bool:
        """Whether a tool waits or works for the account."""
        return not all(future.done() for future in self._futures)

    def start(self, tool: Tool, work: Callable[[Progress], Done]) -> None:
        """Start a tool, unless another one is at work."""
        if not self.is_busy and not self.is_closed:
            self.jobs[tool] = Job(_pool(self.limits.workers), work)
            self._futures[:] = [self.jobs[tool].future]
            self.stopped.discard(tool)

    def is_at_work(self, tool: Tool) -> bool:
        """Whether a tool waits or works."""
        return tool in self.jobs and not self.jobs[tool].future.done()

    def stop(self, tool: Tool) -> None:
        """Stop a tool and forget what it did."""
        self.jobs.pop(tool).stop()
        self.stopped.add(tool)

    def result(self, tool: Tool) -> Done | None:
        """Return what a tool found; None while it has not ended. Messages have names of files without their folders."""
        if tool not in self.jobs or self.is_at_work(tool):
            return None
        try:
            return self.jobs[tool].future.result()
        except InputError as error:
            raise InputError(re.sub(rf"{re.escape(self._folder.name)}/\w+/", "", str(error))) from error

    def keep(self) -> None:
        """Keep it for another `KEPT_S`."""
        if not self.is_closed:
            self._timer.cancel()
            self._timer = Timer(KEPT_S, self.close)
            self._timer.daemon = True
            self._timer.start()

    def close(self) -> None:
        """Stop the tool at work, and remove the file and what was made of it."""
        self.is_closed = True
        self._timer.cancel()
        for job in self.jobs.values():
            job.stop()
        self.jobs.clear()
        Thread(target=self._remove, daemon=True).start()

    def _remove(self) -> None:
        wait(list(self._futures))
        self._folder.cleanup()


def _readable(name: str) -> str:
    """Return letters, digits and few other characters of a file's name, which is then no path and short enough."""
    path = Path(unicodedata.normalize("NFC", name))
    stem, suffix = ("".join(letter if _is_kept(letter) else "_" for letter in it) for it in (path.stem, path.suffix))
    kept = stem.encode()[:N_NAME].decode(errors="ignore").strip(". ")
    return (kept or "file") + (suffix if suffix.isascii() and len(suffix) <= N_SUFFIX else "")


def _is_kept(letter: str) -> bool:
    return bool(re.match(r"[\w ().-]", letter)) or unicodedata.category(letter).startswith("M")


@st.cache_resource
def _pool(n_workers: int) -> ThreadPoolExecutor:
    """Return the threads of all viewers: each runs one worker process at a time."""
    return ThreadPoolExecutor(n_workers)


@st.cache_resource
def _files() -> dict[str, StudioFile]:
    """Return the latest file of each account."""
    return {}


@st.cache_resource(max_entries=None)
def _futures(account: str) -> "list[Future[Done]]":  # noqa: ARG001 - cache key
    """Return what works for an account."""
    return []


def opened(name: str, content: bytes) -> StudioFile:
    """Return the viewer's file; another one that the account has open, here or in another window, is closed."""
    file: StudioFile | None = st.session_state.get(_KEY)
    sha256 = hashlib.sha256(content).hexdigest()
    if file is None or file.sha256 != sha256:
        account = access.viewer().account
        file = StudioFile(name, content, data.settings("audio", AudioSettings), _futures(account))
        leave()
        if account in _files():
            _files()[account].close()
        st.session_state[_KEY] = _files()[account] = file
    file.keep()
    return file


def leave() -> None:
    """Close the file of this window, if there is one."""
    file: StudioFile | None = st.session_state.pop(_KEY, None)
    if file is not None:
        file.close()


@st.fragment(run_every=BEAT_S)
def stay(file: StudioFile) -> None:
    """Say that the page of a file is open, as long as it is."""
    file.keep()


@st.fragment(run_every=POLL_S)
def show_progress(file: StudioFile, tool: Tool) -> None:
    """Show how far a tool is, with a button that stops it; run the page again when it is done."""
    job = file.jobs.get(tool)
    if job is None:
        st.progress(0.0, as_markdown(ENDING))
    elif not job.future.done():
        text = WAITING if job.is_waiting else AT_WORK[tool]
        st.progress(job.share, fill("{text}: {share}", text=text, share=f"{job.share:.0%}"))
        if st.button("Stop", key=f"stop_{tool}"):
            file.stop(tool)
    if not file.is_busy or file.is_closed:
        st.rerun()
