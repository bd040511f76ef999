"""Messages about nightly runs: failed, refused by the gate, late, or finished with findings (see `recsys.notify`)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

from recsys.alerts.send import send_alerts
from recsys.errors import Refused
from recsys.home import Home
from recsys.notify.message import Message
from recsys.notify.send import send
from recsys.notify.settings import NotifySettings
from recsys.pipeline.history import events_of
from recsys.pipeline.run import Event, Run, error_text
from recsys.releases import registry

MAX_FINDINGS = 50  # of a message
_SENT = "notified"


@contextmanager
def failures_sent(home: Home, settings: NotifySettings, tell: Callable[[Event], None]) -> Iterator[None]:
    """Send a message if the run in the `with` block fails or is refused; the error is raised again."""
    try:
        yield
    except Exception as stopped:
        for failed in send(message_of_failure(home, stopped), settings, home.path):
            tell({"event": "warning", "text": failed})
        raise


def send_findings(run: Run) -> None:
    """Send the warnings of a finished run that were not sent before, if there are any."""
    message = message_of_findings(run)
    if message is None:
        return
    for failed in send(message, run.recipe.notify, run.home.path):
        run.log(event="warning", text=failed)
    run.log(event=_SENT, kind=message.kind)


def send_viewers_alerts(run: Run) -> None:
    """Find and send the alerts of viewers; what goes wrong is a warning in the log of the run."""
    for problem in send_alerts(run.home, run.recipe.notify):
        run.log(event="warning", text=problem)


def send_late(home: Home, settings: NotifySettings, expected: date) -> tuple[bool, list[str]]:
    """
    Send a message if no release has the data of the day `expected` yet.

    Returns:
        Whether it is late; and why the message could not be sent, for each way that failed.
    """
    message = message_of_delay(home, expected)
    return (False, []) if message is None else (True, send(message, settings, home.path))


def message_of_failure(home: Home, stopped: Exception) -> Message:
    """Say that a run failed, or that the gate refused it; messages of other libraries are left out."""
    is_refusal = isinstance(stopped, Refused)
    subject = (
        f"The gate refused the nightly run of {home.path.name}" if is_refusal else _failed(home, error_text(stopped))
    )
    release = registry.current_name(home) or "none"
    text = f"{error_text(stopped)}\n\nHome: {home.path}\nCurrent release: {release}\nMore: recsys runs"
    return Message.of("gated" if is_refusal else "failed", subject, text)


def message_of_findings(run: Run) -> Message | None:
    """List the warnings in a run's log since the last message; None without any."""
    found: list[str] = []
    for event in events_of(run.folder):
        found = [] if event["event"] == _SENT else [*found, *_finding(event)]
    if not found:
        return None
    more = [f"and {len(found) - MAX_FINDINGS:,} more, in {run.folder / 'log.jsonl'}"] * (len(found) > MAX_FINDINGS)
    subject = f"The nightly run of {run.home.path.name} for {run.as_of} finished with {_counted(len(found))}"
    lines = [f"- {text}" for text in found[:MAX_FINDINGS]]
    return Message.of("findings", subject, "\n".join([*lines, *more, "", f"Home: {run.home.path}"]))


def message_of_delay(home: Home, expected: date) -> Message | None:
    """Say that no release has the data of the day `expected` yet; None if one has."""
    name = registry.current_name(home)
    last = date.fromisoformat(name[:10]) if name else None
    if last is not None and last >= expected:
        return None
    found = f"The current release has data up to {last}." if last else "Nothing is published yet."
    text = f"{found}\n\nHome: {home.path}\nMore: recsys runs"
    return Message.of("late", f"The nightly run of {home.path.name} for {expected} is late", text)


def _failed(home: Home, error: str) -> str:
    """Name the step of the newest run that ended with this error; an error outside of all steps has none."""
    folders = sorted(home.runs.glob("*"), key=lambda folder: folder.stat().st_mtime_ns)
    last: dict[str, Any] = {"event": "none"}
    for event in events_of(folders[-1]) if folders else ():
        last = event
    is_of_step = last["event"] == "failed" and last["error"] == error
    step = f" in the step {last['step']}" if is_of_step else ""
    return f"The nightly run of {home.path.name} failed{step}"


def _finding(event: Event) -> list[str]:
    return [str(event["text"])] if event["event"] == "warning" else []


def _counted(n: int) -> str:
    return f"{n:,} finding{'' if n == 1 else 's'}"
