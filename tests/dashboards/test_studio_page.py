"""The page Studio: tools on a file of the viewer's own, within limits, and nothing of it stays."""

import re
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import soundfile
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from dashboards import access, data, studio, studio_tools
from dashboards.access import Viewer
from dashboards.studio import Done, Progress, StudioFile, Tool
from recsys.audio.sandbox import run_one
from recsys.audio.separation.stems import Separated
from recsys.errors import InputError
from recsys.home import Home
from recsys.library.settings import AudioSettings
from recsys.published.mastering import Recordings, Wishes

from ..nights import RATE_HZ, song
from .browser import CHROMIUM, Visit, chromium, served
from .conftest import Open, failures

in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium")
LIMITS = AudioSettings(workers=1)


@pytest.fixture
def file() -> Iterator[StudioFile]:
    """An open file."""
    opened = StudioFile("A song.wav", b"content", LIMITS, [])
    yield opened
    opened.close()


def until(is_so: Callable[[StudioFile], bool], file: StudioFile, timeout_s: float = 900) -> None:
    """Wait until a file is as a function says."""
    ends = time.monotonic() + timeout_s
    while not is_so(file):
        assert time.monotonic() < ends
        time.sleep(0.02)


def nothing(_progress: Progress) -> Done:
    """Find nothing."""
    return Done(None, ())


def test_a_closed_file_is_removed(file: StudioFile) -> None:
    """With everything in its folder, and once the tool that works on it has ended."""
    begun, may_end = Event(), Event()

    def work(_progress: Progress) -> Done:
        begun.set()
        may_end.wait(10)
        file.out.mkdir()
        (file.out / "late").write_bytes(b"")
        return Done(None, ())

    file.start("stems", work)
    begun.wait(10)
    file.close()
    assert file.path.exists()
    may_end.set()

    until(lambda it: not it.path.parents[1].exists(), file, 10)


def test_a_file_whose_page_was_left_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some minutes after the page was last open; an open page keeps it."""
    monkeypatch.setattr(studio, "KEPT_S", 0.3)
    file = StudioFile("A song.wav", b"content", LIMITS, [])
    for _ in range(4):
        time.sleep(0.15)
        file.keep()
    assert not file.is_closed

    until(lambda it: not it.path.parents[1].exists(), file, 10)


def test_an_account_has_one_file_and_one_tool_at_work(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Opening another closes the first; its tool, which cannot be stopped at once, keeps the second from starting."""
    monkeypatch.setattr(access, "viewer", lambda: Viewer("anna@label.example", "la1", tmp_path, "sub:anna"))
    monkeypatch.setattr(data, "settings", lambda *_: LIMITS)
    begun, may_end = Event(), Event()

    def work(_progress: Progress) -> Done:
        begun.set()
        may_end.wait(10)
        return Done(None, ())

    first = studio.opened("one.wav", b"1")
    first.start("facts", work)
    begun.wait(10)
    first.start("noise", nothing)
    assert set(first.jobs) == {"facts"}

    second = studio.opened("two.wav", b"2")
    assert first.is_closed
    second.start("facts", nothing)
    assert not second.jobs
    may_end.set()
    until(lambda it: not it.is_busy, second, 10)
    second.start("facts", nothing)
    until(lambda it: not it.is_busy, second, 10)

    assert studio.opened("two.wav", b"2") is second
    assert second.result("facts") is not None
    studio.leave()
    assert second.is_closed


def test_a_stopped_tool_ends_at_its_next_sign_of_progress(file: StudioFile) -> None:
    """It is forgotten, so that it is offered again."""
    ended = Event()

    def work(progress: Progress) -> Done:
        try:
            while True:
                time.sleep(0.01)
                progress(file.path, 0.5)
        finally:
            ended.set()

    file.start("stems", work)
    until(lambda it: it.jobs["stems"].share == 0.5, file, 10)
    file.stop("stems")

    assert ended.wait(10)
    assert file.result("stems") is None


def hang(_path: Path) -> None:
    """Work for longer than any test, without a sign of progress."""
    time.sleep(600)


def test_a_stopped_tool_loses_its_worker_process(file: StudioFile) -> None:
    """Also while it gives no sign of progress."""
    begun = Event()

    def work(_progress: Progress) -> Done:
        begun.set()
        run_one(hang, file.path, limit_s=600, limit_bytes=2 << 30)
        return Done(None, ())

    file.start("noise", work)
    begun.wait(10)
    file.stop("noise")

    until(lambda it: not it.is_busy, file, 60)
    assert file.stopped == {"noise"}


def test_a_tool_has_a_limit_of_time_in_total(file: StudioFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """However often it gives a sign of progress."""
    monkeypatch.setattr(studio, "MAX_TOOL_S", 0.1)

    def work(progress: Progress) -> Done:
        while True:
            time.sleep(0.01)
            progress(file.path, 0.5)

    file.start("stems", work)
    until(lambda it: not it.is_busy, file, 10)

    with pytest.raises(InputError, match=r"took longer than 0\.1 s"):
        file.result("stems")


def test_a_stopped_measurement_is_offered_again(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """By a button; it does not begin again by itself."""
    begun: list[StudioFile] = []

    def measure(file: StudioFile) -> None:
        begun.append(file)
        file.start("facts", nothing)

    monkeypatch.setattr(studio_tools, "measure", measure)
    monkeypatch.setattr(studio, "opened", lambda *_: file)
    file = StudioFile("song.wav", b"content", LIMITS, [])
    file.start("facts", nothing)
    until(lambda it: not it.is_busy, file, 10)
    file.stop("facts")

    page = open_page("studio")
    page.file_uploader[0].upload("song.wav", b"content", "audio/wav").run()

    assert not begun
    assert page.button(key="facts").label == "Measure"
    assert not page.get("progress")
    file.close()


NAMES = {
    "../../etc/passwd": "passwd",
    "..": "file",
    "": "file",
    "\x00a/b\nc.wav": "b_c.wav",
    "\U0001d11e" * 40 + "." + "\U0001d11e" * 40: "_" * 40,
    "字" * 300 + ".wav": "字" * 40 + ".wav",
    "Cafe\u0301.wav": "Café.wav",
    "हिंदी.wav": "हिंदी.wav",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_no_path(name: str) -> None:
    """Whatever a browser sends as the name of a file, it lies in its folder, under a short name that can be read."""
    file = StudioFile(name, b"content", LIMITS, [])

    assert file.path.read_bytes() == b"content"
    assert file.path.parent.name == "file"
    assert file.path.name == NAMES[name]
    assert len(f"{file.path.stem}.accompaniment.flac".encode()) < 200
    file.close()


def test_a_dropped_reference_replaces_the_earlier_one(file: StudioFile) -> None:
    """One lies in the folder, whatever its name."""
    file.place("reference", "one.wav", b"1")

    second = file.place("reference", "two.wav", b"2")

    assert list(second.parent.iterdir()) == [second]
    assert second.read_bytes() == b"2"


@pytest.mark.parametrize(
    ("kind", "dropped", "expected"),
    [
        ("", None, None),
        (studio_tools.FILE, ("/etc/passwd", b"own"), "passwd"),
        (studio_tools.CATALOGUE, None, Recordings()),
        (studio_tools.ARTIST, None, Recordings("/etc/passwd")),
    ],
)
def test_a_reference_is_what_was_chosen(
    kind: str, dropped: tuple[str, bytes] | None, expected: object, file: StudioFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An artist's id that looks like a path names no file, and recordings are those of the viewer's own warehouse."""
    own = Path("own.duckdb")
    monkeypatch.setattr(access, "viewer", lambda: Viewer("anna@label.example", "la1", own, "sub:anna"))
    seen: list[tuple[object, Path]] = []

    def examined(_file: StudioFile, wishes: Wishes, _progress: Progress, published: Callable[[], Path]) -> None:
        seen.append((wishes.reference, published()))
        raise InputError("enough")

    monkeypatch.setattr(studio_tools, "_examined", examined)
    studio_tools.master(file, "spotify", studio_tools.recordings(kind, "/etc/passwd"), dropped)
    until(lambda it: not it.is_busy, file, 10)

    ((reference, warehouse),) = seen
    assert warehouse == own
    assert (reference.name if isinstance(reference, Path) else reference) == expected


def test_a_curve_needs_some_seconds() -> None:
    """One of three seconds is a point; one of eight seconds has six."""

    def curve(length_s: int) -> pl.DataFrame:
        levels = np.r_[np.full(20, -np.inf), np.full(10 * length_s - 20, -14.0)]
        facts = SimpleNamespace(short_term_lufs=levels)
        return studio_tools.loudness_curve(SimpleNamespace(facts=facts, after=None))  # type: ignore[arg-type]

    assert curve(3).is_empty()
    assert curve(8)["start_s"].to_list() == [2, 3, 4, 5, 6, 7]


def test_what_is_lost_of_stems_is_said() -> None:
    """Seconds that could not be decoded, and samples that FLAC cannot hold."""
    assert studio_tools.stem_sentences(Separated(10, 0.5, 0, 0)) == ["Somebody sings or speaks in 50% of the seconds."]
    assert studio_tools.stem_sentences(Separated(10, 0.5, 1.25, 1_200))[1:] == [
        "1.2 s could not be decoded.",
        "1,200 samples above full scale were clipped, which FLAC cannot hold.",
    ]


def test_messages_name_the_file_without_its_folder(file: StudioFile) -> None:
    """The folder is none of the viewer's."""

    def work(_progress: Progress) -> Done:
        raise InputError(f"{file.path}: cannot be decoded")

    file.start("facts", work)
    until(lambda it: not it.is_busy, file, 10)

    with pytest.raises(InputError, match=r"^A song.wav: cannot be decoded$"):
        file.result("facts")


def test_without_the_extra_the_page_says_how_to_install_it(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before anything is analysed; a label reads that it should ask."""
    monkeypatch.setitem(studio_tools.NEEDS, "facts", ("torchspleeter_absent",))
    monkeypatch.setattr("recsys.installation.extras.EXTRAS", {"torchspleeter_absent": "studio"})
    page = open_page("studio")
    assert "There is no file yet" in page.info[0].value

    page.file_uploader[0].upload("song.wav", b"content", "audio/wav").run()

    assert "pip install" in page.info[0].value
    assert "recsys\\[studio\\]" in page.info[0].value


def flac(samples: np.ndarray, rate_hz: int, subtype: str = "PCM_16", form: str = "FLAC") -> bytes:
    """Return a file of samples, shape (n_channels, n)."""
    buffer = BytesIO()
    soundfile.write(buffer, samples.T, rate_hz, subtype=subtype, format=form)
    return buffer.getvalue()


def noise(n_channels: int, length_s: float, rate_hz: int) -> np.ndarray:
    """Return white noise."""
    return 0.1 * np.random.default_rng(1).standard_normal((n_channels, round(length_s * rate_hz)))


def run(file: StudioFile, tool: Tool) -> Done | None:
    """Run a tool and return its result."""
    match tool:
        case "facts":
            studio_tools.measure(file)
        case "noise":
            studio_tools.denoise(file)
        case "stems":
            studio_tools.separate(file)
        case "master":
            studio_tools.master(file, "spotify", None, None)
    until(lambda it: not it.is_busy, file)
    return file.result(tool)


ODD: dict[str, tuple[Callable[[], bytes], Tool]] = {
    "a tenth of a second": (lambda: flac(noise(2, 0.1, 44_100), 44_100), "noise"),
    "six channels at 192 kHz": (lambda: flac(noise(6, 1.5, 192_000), 192_000, "FLOAT", "WAV"), "stems"),
    "silence": (lambda: flac(np.zeros((2, 44_100)), 44_100), "stems"),
    "not a number": (lambda: flac(np.full((1, 44_100), np.nan), 44_100, "FLOAT", "WAV"), "master"),
    "a square wave": (lambda: flac(np.sign(np.sin(np.arange(88_200)[None] / 20)), 44_100), "master"),
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ODD)
def test_an_odd_file_is_measured_and_processed(kind: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A tool writes as many samples as it read, or nothing; the page has a sentence about each."""
    monkeypatch.setattr(access, "viewer", lambda: Viewer("Operator", None, tmp_path))
    content, tool = ODD[kind]
    file = StudioFile("odd", content(), LIMITS, [])
    facts, done = run(file, "facts"), run(file, tool)
    assert facts is not None
    assert done is not None

    assert studio_tools.mastering_sentences(facts.found) or kind == "a tenth of a second"
    lengths = {soundfile.info(sound.path).frames for sound in done.sounds}
    assert lengths <= {round(facts.found.facts.duration_s * facts.found.facts.rate_hz)}
    file.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (lambda: b"no music", "not an audio file we can decode"),
        (lambda: b"", "an empty file"),
        (lambda: flac(np.zeros((1, 3 * 3_600 * 8_000), np.int16), 8_000), "longer than 600 s"),
    ],
    ids=["text", "empty", "three hours"],
)
def test_a_file_that_cannot_be_used_is_refused_in_words(content: Callable[[], bytes], words: str) -> None:
    """Text, nothing, and three hours."""
    file = StudioFile("odd.flac", content(), LIMITS, [])

    with pytest.raises(InputError, match=words) as refused:
        run(file, "facts")

    assert str(refused.value).startswith("odd.flac: ")
    file.close()


@pytest.fixture(scope="module")
def visit(published_home: Home) -> Iterator[Visit]:
    """A browser window on a published home."""
    with served(published_home.path) as address, chromium() as browser:
        visitor = Visit(browser, address)
        visitor.page.set_default_timeout(600_000)  # each tool starts processes of its own
        yield visitor
        assert visitor.errors == []
        assert visitor.elsewhere == []


@pytest.mark.slow
@in_a_browser
def test_a_dropped_file_is_separated_and_mastered(visit: Visit, tmp_path: Path) -> None:
    """In a browser: stems that add up to the file, and a copy at the loudness of Spotify, both to play and download."""
    path = tmp_path / "My song.flac"
    path.write_bytes(flac(song(3)[:, : 8 * RATE_HZ], RATE_HZ))
    page = visit.open("studio")
    page.locator("input[type=file]").set_input_files(path)
    expect(page.get_by_role("heading", name="Measurements")).to_be_visible(timeout=600_000)
    page.get_by_role("button", name="Separate", exact=True).click()
    expect(page.get_by_text("Accompaniment (karaoke)")).to_be_visible(timeout=600_000)
    page.get_by_role("button", name="Master", exact=True).click()
    expect(page.get_by_role("heading", name="Before and after", exact=True)).to_be_visible(timeout=600_000)
    expect(page.get_by_test_id("stAudio")).to_have_count(4)

    written = {}
    for title in ("Vocals (a cappella)", "Accompaniment (karaoke)", "Mastered"):
        with page.expect_download() as waiting:  # a button with help has a hidden twin for phones
            page.locator(f".st-key-{studio_key(title)} button:visible").click()
        written[title] = waiting.value
    assert written["Mastered"].suggested_filename == "My song.mastered.flac"
    (source, vocals, accompaniment), copy = (
        [
            soundfile.read(it, dtype="int16")[0].astype(int)
            for it in (path, *(written[t].path() for t in list(written)[:2]))
        ],
        soundfile.read(written["Mastered"].path())[0],
    )
    np.testing.assert_array_equal(vocals + accompaniment, source)
    assert len(copy) == len(source)


def studio_key(title: str) -> str:
    """Return the class of a download button, from the title of its sound."""
    return re.sub(r"[^a-zA-Z0-9_-]", "-", f"{title}_download")


@pytest.mark.slow
def test_a_label_masters_against_its_own_recordings(
    open_page: Open, label_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no recording of the label was measured, the message says so, and names no path."""
    monkeypatch.setattr(studio, "POLL_S", 1_000)
    page = open_page("studio", label=label_id, reference="catalogue")
    page.file_uploader[0].upload("song.flac", flac(song(3)[:, : 2 * RATE_HZ], RATE_HZ), "audio/flac").run()
    finished(page)
    page.button(key="master").click().run()
    finished(page)

    assert "no measured recording" in failures(page)[0]
    assert "/tmp" not in failures(page)[0]  # noqa: S108 - what must not be there


def finished(page: AppTest) -> None:
    """Run a page again until its tool is done."""
    while page.get("progress"):
        time.sleep(0.2)
        page.run()
