"""An uploaded file is analysed in a separate process and compared with the scanned recordings."""

import json
from collections.abc import Iterator
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
from recsys.pipeline.nightly import build_and_publish
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.releases import registry
from recsys.synth.render import write_audio

from ..nights import RATE_HZ, song
from .browser import CHROMIUM, Visit, chromium, served
from .conftest import Open, failures, opener, unmarked

TODAY, AS_OF = date(2026, 2, 28), date(2026, 1, 31)
TABLES = {
    "listens": "user_id,track_id,listened_at\nu1,t1,2026-01-05T10:00:00Z\n",
    "artists": "artist_id,name\nar1,Anna Acorn\nar2,Bea Birch\n",
    "labels": "label_id,name\nla1,Small Hours\nla2,Lodestar\n",
    "tracks": "track_id,title,artist_id,label_id\nt1,One,ar1,la1\nt2,Two,ar1,la1\nt3,Three,ar2,la2\nt4,Four,ar2,la2\n",
}
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
    ingest(home, [folder / f"{name}.csv" for name in TABLES], today=TODAY)
    scan(home, folder / "music", today=TODAY, settings=AudioSettings(workers=2))
    run = Run.of(home, AS_OF, read_recipe())
    build_and_publish(run)
    return home


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
