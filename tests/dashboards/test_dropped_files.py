"""An uploaded file is analysed in a separate process and compared with the scanned recordings."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from streamlit.testing.v1 import AppTest

from recsys.audio.training.distort import with_speed
from recsys.home import Home
from recsys.ingest.run import ingest
from recsys.library.scan import scan
from recsys.library.settings import AudioSettings
from recsys.matching.tunes.melody import Melody, melody_of
from recsys.pipeline.nightly import build_and_publish
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.releases.takedown import take_down
from recsys.synth.render import write_audio
from recsys.synth.tune import compose

from ..matching.test_tunes import abc_of
from ..nights import RATE_HZ, song
from .browser import CHROMIUM, Visit, chromium, served
from .conftest import Open, failures, opener, unmarked

TODAY, AS_OF = date(2026, 2, 28), date(2026, 1, 31)
TABLES = {
    "listens": "user_id,track_id,listened_at\nu1,t1,2026-01-05T10:00:00Z\n",
    "artists": "artist_id,name\nar1,Anna Acorn\nar2,Bea Birch\n",
    "labels": "label_id,name\nla1,Small Hours\nla2,Lodestar\n",
    "tracks": "track_id,title,artist_id,label_id,iswc\nt1,One,ar1,la1,T0345246801\nt2,Two,ar1,la1,\n"
    "t3,Three,ar2,la2,T9020013701\nt4,Four,ar2,la2,\n",
}
HOSTILE = {  # name of a dropped file -> content, and what is said
    "empty.abc": (b"", "found no tune in ABC"),
    "bar.abc": (b"X:1\nM:4/4\nL:1/4\nK:C\nCDEF|\n", "too short: 4 notes"),
    "scale.abc": (b"X:1\nM:4/4\nL:1/4\nK:C\n" + b"CDEF|GABc|cBAG|FEDC|" * 2 + b"\n", "no evidence"),
    "drone.abc": (b"X:1\nM:4/4\nL:1/4\nK:C\n" + b"CCCC|" * 20 + b"\n", "no evidence: 0 patterns"),
    "long.abc": (b"X:1\nM:4/4\nL:1/1\nK:C\nC99999999|\n", "too short: 1 notes"),
    "huge.abc": (b"X:1\nK:C\n" + b"CDEF|" * 300_000, "larger than 1,000,000 bytes"),
    "many.abc": (b"X:1\nM:4/4\nL:1/8\nK:G\nA2|BcdB G2AB|cABc d2ef|gfed cBAG|FGAF D2EF|\n\n" * 21, "found 21 tunes"),
    "words.mid": (b"no music", "cannot be read as MIDI"),
    "cut.mid": (b"MThd\x00\x00\x00\x06\x00\x01", "cannot be read as MIDI"),
    "cut.musicxml": (b"<score-partwise><part>", "cannot be read as XML"),
    "words.flac": (b"no music", "nothing can be compared"),
    "empty.flac": (b"", "an empty file"),
    "letter.txt": (b"no music", "found the ending '.txt'"),
}
NOTES = ("T0345246801.abc", "T9020013701.abc", "folk.abc")  # of t1, of t3, and of no work
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium was found; apt-get install chromium")


@pytest.fixture(scope="module")
def sounding(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A published home of four scanned recordings, two per label: t1 to t4 are songs 1 to 4."""
    folder = tmp_path_factory.mktemp("sounding")
    for name, text in TABLES.items():
        (folder / f"{name}.csv").write_text(text)
    (folder / "music").mkdir()
    for seed in range(1, 5):
        write_audio(folder / "music" / f"t{seed}.flac", song(seed), RATE_HZ)
    home = Home(folder / "home")
    home.tunes.mkdir(parents=True)
    for name, melody in zip(NOTES, melodies(), strict=True):
        (home.tunes / name).write_text(abc_of(melody, 1))
    ingest(home, [folder / f"{name}.csv" for name in TABLES], today=TODAY)
    scan(home, folder / "music", today=TODAY, settings=AudioSettings(workers=2))
    run = Run.of(home, AS_OF, read_recipe())
    build_and_publish(run)
    return home


def melodies() -> list[Melody]:
    """Compose the tunes in notes of the home."""
    rng = np.random.default_rng(8)
    return [melody_of(compose(f"tune {number}", rng)) for number in range(len(NOTES))]


@pytest.fixture(scope="module")
def faster(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Song 3 at 104 % speed, as an MP3, after five seconds of silence."""
    path = tmp_path_factory.mktemp("dropped") / "party.mp3"
    silence = np.zeros((2, 5 * RATE_HZ), np.float32)
    write_audio(path, np.concatenate([silence, [with_speed(side, 1.04) for side in song(3)]], axis=1), RATE_HZ)
    return path


@pytest.fixture
def open_sounding(sounding: Home, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """A function that opens a page on the home with scanned recordings."""
    with opener(sounding, monkeypatch) as opened:
        yield opened


def upload(page: AppTest, path: Path) -> AppTest:
    """Upload a file on the page."""
    return page.file_uploader[0].upload(path.name, path.read_bytes(), "audio/mpeg").run(timeout=120)


@pytest.mark.slow
def test_a_file_finds_what_sounds_like_it(open_sounding: Open, faster: Path) -> None:
    """The recording it was made from comes first among all, and the filters still apply."""
    page = upload(open_sounding("discovery"), faster)

    assert failures(page) == []
    assert page.header[0].value == "Most similar to party.mp3"
    assert unmarked(page.dataframe[0].value["title"])[0] == "Three"
    page.slider(key="tempo").set_value((40, 41)).run()
    assert "No recording matches all filters" in page.info[0].value


@pytest.mark.slow
def test_a_label_is_shown_its_own_recordings_only(open_sounding: Open, sounding: Home, faster: Path) -> None:
    """Discovery leaves out a nearer recording of another label; Matches reports that nothing was found."""
    own = registry.label_warehouse(sounding, "la1")
    page = upload(open_sounding("discovery", label="la1", file=own), faster)
    assert failures(page) == []
    assert set(unmarked(page.dataframe[0].value["title"])) == {"One", "Two"}

    page = upload(open_sounding("matches", label="la1", file=own), faster)
    assert failures(page) == []
    assert "No recording of the catalogue was found in party.mp3" in page.info[0].value


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, "la1"], ids=["operator", "label"])
def test_a_file_that_cannot_be_decoded_is_named(
    open_sounding: Open, sounding: Home, tmp_path: Path, label: str | None
) -> None:
    """To labels too, since it is their own file; the message does not contain the temporary folder."""
    (tmp_path / "letter.mp3").write_text("no music")
    own = registry.label_warehouse(sounding, label) if label else None

    page = upload(open_sounding("discovery", label=label, file=own), tmp_path / "letter.mp3")

    assert "letter.mp3" in page.error[0].value
    assert "/tmp" not in page.error[0].value  # noqa: S108 - what must not be there


@pytest.fixture
def higher(tmp_path: Path) -> Path:
    """The second tune in notes, a fourth higher."""
    tune = melodies()[1]
    path = tmp_path / "higher.abc"
    path.write_text(abc_of(replace(tune, pitch=tune.pitch + 5), 1))
    return path


@pytest.mark.slow
def test_notes_find_their_tune(open_sounding: Open, higher: Path) -> None:
    """An operator sees all notes: melody, rhythm and harmony apart, the phrase and how common it is, the spans."""
    page = upload(open_sounding("tunes"), higher)

    assert failures(page) == []
    shown = page.dataframe[0].value
    assert shown["tune"].tolist()[0] == "T9020013701.abc"
    assert set(shown["tune"]) == set(NOTES)
    assert shown[["melody_share", "rhythm_share", "transposition_semitones"]].iloc[0].tolist() == [100, 100, -5]
    assert [metric.label for metric in page.metric] == ["Melody", "Rhythm", "Harmony"]
    texts = [element.value for element in page.markdown]
    assert any("have this phrase in any key" in text or "has this phrase in any key" in text for text in texts)
    assert any("no operating point is known" in text for text in texts)  # of three tunes
    assert "not that a right was infringed" in texts[0]


@pytest.mark.slow
@pytest.mark.parametrize(("label", "own"), [("la1", NOTES[0]), ("la2", NOTES[1])])
def test_a_label_is_shown_the_notes_of_its_own_works_only(
    open_sounding: Open, sounding: Home, higher: Path, label: str, own: str
) -> None:
    """Neither the notes of other labels nor their recordings are named, also not where they are the most similar."""
    page = upload(open_sounding("tunes", label=label, file=registry.label_warehouse(sounding, label)), higher)

    assert failures(page) == []
    assert page.dataframe[0].value["tune"].tolist() == [own]
    mine = {"la1": {"One", "Two"}, "la2": {"Three", "Four"}}[label]
    assert set(unmarked(page.dataframe[1].value["title"])) == mine
    everything = repr([element.value for element in [*page.markdown, *page.caption, *page.subheader]])
    assert [name for name in NOTES if name != own and name in everything] == []


@pytest.mark.slow
def test_a_recording_finds_the_recording_of_its_tune(open_sounding: Open, faster: Path) -> None:
    """With players of both where they agree."""
    page = upload(open_sounding("tunes"), faster)

    assert failures(page) == []
    shown = page.dataframe[-1].value
    assert unmarked(shown["title"])[0] == "Three"
    assert shown["operating_point"].iloc[0] != "none"
    n_passing = int((shown["operating_point"] != "none").sum())
    titles = [element.value.partition(", 0:")[0] for element in page.markdown if ", 0:" in element.value]
    assert titles.count("The file") == titles.count("Three by Bea Birch") * n_passing == n_passing
    assert len(page.get("audio")) == len(titles)


@pytest.mark.slow
def test_removed_recordings_are_named_as_such(
    sounding: Home, faster: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is taken down is not compared at once; one whose file is gone has no player."""
    shutil.copytree(sounding.path, tmp_path / "home", symlinks=True)
    home = Home(tmp_path / "home")
    take_down(home, ["t4"], "", today=TODAY)
    home.music_folders.write_text("[]")

    with opener(home, monkeypatch) as opened:
        page = upload(opened("tunes"), faster)

    assert failures(page) == []
    assert set(unmarked(page.dataframe[-1].value["title"])) == {"One", "Two", "Three"}
    assert any("Four by Bea Birch: taken down" in element.value for element in page.markdown)
    assert any("is not on this machine" in element.value for element in page.caption)


@pytest.mark.slow
@pytest.mark.parametrize("label", [None, "la1"], ids=["operator", "label"])
@pytest.mark.parametrize("name", HOSTILE)
def test_a_file_without_a_tune_has_a_plain_message(
    open_sounding: Open, sounding: Home, tmp_path: Path, name: str, label: str | None
) -> None:
    """Empty, cut, huge, of another format, one bar, a scale, a drone: no traceback, and no path of the server."""
    content, said = HOSTILE[name]
    (tmp_path / name).write_bytes(content)
    own = registry.label_warehouse(sounding, label) if label else None

    page = upload(open_sounding("tunes", label=label, file=own), tmp_path / name)

    assert not page.exception
    assert said in page.error[0].value
    assert "/tmp" not in page.error[0].value  # noqa: S108 - what must not be there


@pytest.fixture(scope="module")
def visit(sounding: Home) -> Iterator[Visit]:
    """A browser window on the home with scanned recordings."""
    with served(sounding.path) as address, chromium() as browser:
        visitor = Visit(browser, address)
        visitor.page.set_default_timeout(120_000)  # the analysis starts a process of its own
        yield visitor
        assert visitor.errors == []
        assert visitor.elsewhere == []


@pytest.mark.slow
@in_a_browser
def test_a_distorted_copy_has_a_cue_sheet(visit: Visit, faster: Path) -> None:
    """In a browser: owner, times and transformation are shown, and the report can be downloaded."""
    page = visit.open("matches")
    page.locator("input[type=file]").set_input_files(faster)
    expect(page.get_by_role("heading", name="Cue sheet")).to_be_visible(timeout=120_000)

    with page.expect_download() as waiting:
        page.get_by_role("button", name="JSON", exact=True).click()
    (sheet,) = json.loads(waiting.value.path().read_text(encoding="utf-8"))["files"]
    (use,) = sheet["uses"]
    assert sheet["file"] == "party.mp3"
    assert (use["title"], use["artist_name"], use["label_name"]) == ("Three", "Bea Birch", "Lodestar")
    assert use["starts_s"] == pytest.approx(5, abs=1)
    assert use["ends_s"] == pytest.approx(5 + 24 / 1.04, abs=1.5)
    assert use["transformation"].startswith("speed +")

    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML", exact=True).click()
    assert "data:image/png;base64," in waiting.value.path().read_text(encoding="utf-8")


@pytest.mark.slow
@in_a_browser
def test_discovery_accepts_an_upload(visit: Visit, faster: Path) -> None:
    """In a browser: the most similar recordings are listed, with players for the file and for them."""
    page = visit.open("discovery")
    page.locator("input[type=file]").set_input_files(faster)

    expect(page.get_by_role("heading", name="Most similar to party.mp3")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("1. Three by Bea Birch")).to_be_visible()
    expect(page.get_by_test_id("stAudio")).to_have_count(5)


@pytest.mark.slow
@in_a_browser
def test_similar_tunes_are_drawn(visit: Visit, higher: Path) -> None:
    """In a browser: both drawings load, and the report is one page with both tunes."""
    page = visit.open("tunes")
    page.locator("input[type=file]").set_input_files(higher)

    expect(page.get_by_role("heading", name="Longest common phrase")).to_be_visible(timeout=120_000)
    drawings = page.get_by_test_id("stImage").locator("img")
    expect(drawings).to_have_count(2)
    for drawing in drawings.all():
        assert drawing.evaluate("async it => { await it.decode(); return it.naturalWidth }") >= 200
        assert drawing.get_attribute("alt")
    with page.expect_download() as waiting:
        page.get_by_role("button", name="HTML", exact=True).click()
    report = waiting.value.path().read_text(encoding="utf-8")
    assert "T9020013701.abc" in report
    assert "higher.abc" in report
