"""The commands on the state file, and the alerts of a period that is withheld."""

from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
from click.testing import CliRunner

from recsys.cli import main
from recsys.home import Home
from recsys.state.actions import Actor, logged
from recsys.state.alerts import Alert, alerts, record, withdraw
from recsys.state.watchlist import watch, watched

from .conftest import ANNA, OPERATOR

DAY = date(2026, 6, 30)


def call(home: Home, *words: str) -> tuple[int, str]:
    """Call a command; return its exit code and output."""
    result = CliRunner().invoke(main, ["--home", str(home.path), "state", *words])
    return result.exit_code, result.output


def test_the_log_is_printed(home: Home, tmp_path: Path) -> None:
    """Newest first, in every format; names cannot control the terminal."""
    assert call(home, "log") == (0, "done_at  name  action  subject  outcome\n0 rows\n")
    with logged(home, Actor("ops\x1b[2J"), "rollback", "2026-06-30-1", datetime(2026, 7, 1, 8, tzinfo=UTC)):
        pass

    code, printed = call(home, "log")
    assert (code, "\x1b" in printed, "rollback" in printed) == (0, False, True)
    call(home, "log", "--out", str(tmp_path / "log.parquet"))
    assert pl.read_parquet(tmp_path / "log.parquet").rows() == [
        ("2026-07-01 08:00:00+00:00", "ops\x1b[2J", "rollback", "2026-06-30-1", "done")
    ]


def test_backup_and_forget(home: Home, tmp_path: Path) -> None:
    """Both say what they did."""
    assert call(home, "backup", str(tmp_path / "copy.sqlite"))[0] == 2
    watch(home, ANNA, "artist", "a", DAY)

    assert call(home, "backup", str(tmp_path / "copy.sqlite")) == (
        0,
        f"{tmp_path / 'copy.sqlite'} is a complete copy\n",
    )
    assert call(home, "forget", "sub:1") == (0, "1 watched, 0 views, 0 alerts, 0 practice_takes, 0 actions\n")
    assert watched(home, ANNA) == []


def test_alerts_on_a_withheld_period_are_removed(home: Home) -> None:
    """Of the label alone, and only those on figures of listening whose days are among the withheld ones."""
    days = ((1, 7), (8, 14), (15, 21))
    found = [
        Alert(f"{kind}{first}", kind, date(2026, 6, first), date(2026, 6, last), "x", "artist", {})
        for kind in ("change", "match")
        for first, last in days
    ]
    for owner in (ANNA, OPERATOR):
        record(home, owner, found, "shown", DAY)

    assert withdraw(home, "lb_1", date(2026, 6, 14), date(2026, 6, 14)) == 1
    assert {alert.event for alert in found} - {alert.event for alert in alerts(home, ANNA)} == {"change8"}
    assert len(alerts(home, OPERATOR)) == 6


def test_an_event_is_stored_once_and_old_ones_are_removed(home: Home) -> None:
    """A year after it happened, an alert leaves the list."""
    one = Alert("one", "match", DAY, DAY, "x", "matches", {})

    assert [record(home, ANNA, [one, one], "waiting", DAY), record(home, ANNA, [one], "shown", DAY)] == [1, 0]
    assert alerts(home, ANNA, "waiting") == [one]
    record(home, ANNA, [], "shown", date(2027, 9, 1))
    assert alerts(home, ANNA) == []
