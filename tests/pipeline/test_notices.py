"""Messages about nightly runs, received by a command."""

import json
import sys
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from recsys.cli import main
from recsys.errors import Refused, SetupError
from recsys.home import Home
from recsys.notify.message import Message
from recsys.pipeline import notices
from recsys.pipeline.run import Run
from recsys.recipe import read_recipe
from recsys.state.store import State
from tests.nights import LAST_DAY, World

APPEND = "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')"


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """A file in which the command collects messages, one per line; the home's recipe names the command."""
    path = tmp_path / "messages.jsonl"
    line = [sys.executable, "-c", APPEND, str(path)]
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "recipe.toml").write_text(f"[notify]\ncommand = {json.dumps(line)}\n")
    return path


def received(inbox: Path) -> list[dict[str, Any]]:
    """Return the messages so far."""
    return [json.loads(line) for line in inbox.read_text().splitlines()] if inbox.exists() else []


def recsys(inbox: Path, *words: str) -> tuple[int, str]:
    """Run a command on the home; return exit code and output."""
    result = CliRunner().invoke(main, ["--home", str(inbox.parent / "home"), *words])
    return result.exit_code, result.output


def test_a_run_that_fails_sends_its_error(inbox: Path) -> None:
    """The error of an empty home arrives with its kind and what to do; the exit code stays."""
    assert recsys(inbox, "nightly", "--date", "2026-06-30")[0] == 2
    (message,) = received(inbox)
    assert message["kind"] == "failed"
    assert message["subject"].startswith("The nightly run of home failed")
    assert "InputError: " in message["text"]
    assert "Current release: none" in message["text"]


def test_values_in_errors_of_libraries_are_left_out(tmp_path: Path) -> None:
    """Only the kind and the place of such an error are sent; a refusal has its reasons."""
    home = Home(tmp_path / "home")
    try:
        dict[str, int]()["anna@example.org"]
    except KeyError as error:
        text = notices.message_of_failure(home, error).text
    assert "anna" not in text
    assert text.startswith("KeyError in test_notices.py, line ")
    refused = notices.message_of_failure(home, Refused("plays: 100, before 1,000"))
    assert (refused.kind, refused.subject) == ("gated", "The gate refused the nightly run of home")
    assert refused.text.startswith("Refused: plays: 100, before 1,000\n")


def test_only_the_step_that_raised_the_error_is_named(tmp_path: Path) -> None:
    """An error before the first step does not name the step in which an earlier run failed."""
    home = Home(tmp_path)
    run = Run(home, date(2026, 6, 30), read_recipe(), "2026-06-30-0")
    run.log(event="failed", step="train", error="SetupError: the disk is full")

    subjects = [notices.message_of_failure(home, SetupError(text)).subject for text in ("the disk is full", "locked")]

    failed = f"The nightly run of {tmp_path.name} failed"
    assert subjects == [f"{failed} in the step train", failed]


def test_findings_are_sent_once(inbox: Path) -> None:
    """Warnings since the last message are listed; without any, nothing is sent."""
    home = Home(inbox.parent / "home")
    run = Run(home, date(2026, 6, 30), read_recipe(home.path / "recipe.toml"), "2026-06-30-0")
    run.log(event="start", step="ingest")
    notices.send_findings(run)
    assert received(inbox) == []
    for n in range(notices.MAX_FINDINGS + 2):
        run.log(event="warning", text=f"file {n} cannot be read")
    notices.send_findings(run)
    notices.send_findings(run)
    (message,) = received(inbox)
    assert message["subject"] == "The nightly run of home for 2026-06-30 finished with 52 findings"
    lines = message["text"].splitlines()
    assert lines[1:51] == [f"- file {n} cannot be read" for n in range(50)]
    assert lines[51].startswith("and 2 more, in ")
    run.log(event="warning", text="one more")
    notices.send_findings(run)
    assert received(inbox)[1]["text"].splitlines()[1] == "- one more"


def test_a_message_that_cannot_be_sent_is_a_warning(tmp_path: Path) -> None:
    """It is in the run's log, and does not end the run."""
    recipe = tmp_path / "recipe.toml"
    recipe.write_text('[notify]\ncommand = ["/nonexistent"]\n')
    run = Run(Home(tmp_path), date(2026, 6, 30), read_recipe(recipe), "2026-06-30-0")
    run.log(event="warning", text="first")
    notices.send_findings(run)
    log = (run.folder / "log.jsonl").read_text()
    assert "Command was not sent: /nonexistent could not be started (FileNotFoundError)" in log


def test_a_run_that_is_late(inbox: Path, finished: Run) -> None:
    """A day without a release is late, also in a home without any; a day with one is not."""
    assert recsys(inbox, "notify", "late", "--date", "2026-06-30") == (0, "2026-06-30 is late\n")
    assert received(inbox)[0]["text"].startswith("The nightly run of home for 2026-06-30 is late\nNothing is published")
    assert notices.message_of_delay(finished.home, LAST_DAY) is None
    late = notices.message_of_delay(finished.home, LAST_DAY + timedelta(days=1))
    assert late is not None
    assert late.text.startswith(f"The current release has data up to {LAST_DAY}.")


def test_a_test_message(inbox: Path) -> None:
    """It arrives; without a way to send, the command says so."""
    assert recsys(inbox, "notify", "test") == (0, "sent\n")
    assert received(inbox)[0]["subject"] == "Test"
    (inbox.parent / "home" / "recipe.toml").write_text("")
    code, output = recsys(inbox, "notify", "test")
    assert (code, "sets no e-mail, webhook or command" in output) == (3, True)


def test_an_error_before_the_first_step_is_sent(inbox: Path) -> None:
    """A home that is locked, for example."""
    with (
        pytest.raises(SetupError),
        notices.failures_sent(
            Home(inbox.parent / "home"), read_recipe(inbox.parent / "home" / "recipe.toml").notify, print
        ),
    ):
        raise SetupError("locked by another run")
    assert received(inbox)[0]["subject"] == "The nightly run of home failed"


def test_alerts_never_fail_a_night(
    world: World, finished: Run, copy_of: Callable[[Home], Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finished run looks for alerts again; what goes wrong is a warning of its log, which operators get."""
    home, sent = copy_of(finished.home), list[Message]()
    State(home).path.write_text("not a database" * 99)

    def send(message: Message, *_: object) -> list[str]:
        sent.append(message)
        return []

    monkeypatch.setattr(notices, "send", send)

    run = world.run_nightly(home)

    assert run.run_id == finished.run_id
    assert sent[-1].kind == "findings"
    assert "No alerts were sent: " in sent[-1].text
