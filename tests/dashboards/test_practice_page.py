"""The page Practice: a dropped take and its score, what is said of them, and files that are none."""

import json
from io import BytesIO

import pytest
import soundfile
from streamlit.testing.v1 import AppTest

from dashboards import data
from recsys.practice.practise import Practised
from recsys.practice.summary import summary_of
from recsys.practice.take import judge_sound

from ..practice.conftest import LATE, MISSING, RATE_HZ, SHARP, WRONG, melody, sung
from .conftest import Open, failures

SCORE = b"X:1\nT:Steps\nM:4/4\nL:1/4\nK:C\nCDEF|GFED|ECGA|GFEC2|\n"
SAID = {LATE: "late", MISSING: "missing", SHARP: "sharp", WRONG: "wrong"}


@pytest.fixture(scope="module")
def practised() -> Practised:
    """The take of the tests of practice, and what is said of it."""
    mono, written = sung(), melody()
    judged, track, _ = judge_sound(mono, written)
    return Practised("take.wav", written, judged, track, summary_of(written, judged), mono)


def wav() -> bytes:
    """The take as a file."""
    buffer = BytesIO()
    soundfile.write(buffer, sung(), RATE_HZ, format="WAV")
    return buffer.getvalue()


def dropped(page: AppTest, take: tuple[str, bytes], score: tuple[str, bytes]) -> AppTest:
    """Drop both files."""
    for place, (name, content) in enumerate((take, score)):
        page.file_uploader[place].upload(name, content, "application/octet-stream")
    return page.run(timeout=120)


@pytest.mark.parametrize("label", [False, True], ids=["operator", "label"])
def test_without_files_the_page_says_what_to_do(open_page: Open, label_id: str, label: bool) -> None:
    """Also for a label."""
    page = open_page("practice", label=label_id) if label else open_page("practice")

    assert failures(page) == []
    assert "There is nothing to compare yet" in page.info[0].value
    assert len(page.file_uploader) == 2


def test_scores_and_remarks_are_those_of_the_take(
    open_page: Open, practised: Practised, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shares of notes as counted by hand, each planted error, and its bar."""
    monkeypatch.setattr(data, "practised", lambda *_: practised)

    page = dropped(open_page("practice"), ("take.wav", b"1"), ("steps.abc", b"2"))

    assert failures(page) == []
    shown = {metric.label: metric.value for metric in page.metric}
    assert [shown[name] for name in ("In tune", "In time", "Played")] == ["86.7%", "93.3%", "93.8%"]
    rows = data.remarks_of(practised)
    assert rows["said"].to_list() == [SAID[place] for place in sorted(SAID)]
    assert rows["time_s"].cast(float).to_list() == pytest.approx([0.4 + 0.5 * it for it in sorted(SAID)], abs=0.1)
    assert rows["bar"].to_list() == [str(place // 4 + 1) for place in sorted(SAID)]
    (table,) = [text.value for text in page.markdown if "missing" in text.value and "|" in text.value]
    assert table.count("\n") == len(SAID) + 1


def test_reports_are_those_of_the_command(practised: Practised) -> None:
    """A page with both sounds, and data."""
    write = data.practice_report_writer(practised)

    assert write("html").count(b"data:audio/flac;base64,") == 2
    assert len(json.loads(write("json"))["notes"]) == len(melody())


@pytest.mark.slow
def test_a_dropped_take_is_compared_in_a_process_of_its_own(open_page: Open) -> None:
    """From files to remarks; a file that is no sound, or no score, is named without the temporary folder."""
    page = dropped(open_page("practice"), ("take.wav", wav()), ("steps.abc", SCORE))
    assert failures(page) == []
    assert any("missing" in text.value for text in page.markdown)

    for take, score, name in (
        (("letter.wav", b"no music"), ("steps.abc", SCORE), "letter.wav"),
        (("take.wav", wav()), ("steps.abc", b"no notes"), "steps.abc"),
        (("take.wav", wav()), ("empty.mid", b""), "empty.mid"),
        (("take.wav", wav()), ("other.wav", b"no music"), "other.wav"),
    ):
        page = dropped(open_page("practice"), take, score)
        (error,) = page.error
        assert name in error.value
        assert "/tmp" not in error.value  # noqa: S108 - what must not be there
