"""The message with one viewer's alerts of a night."""

from collections.abc import Sequence
from datetime import date

from recsys.notify.message import Message
from recsys.reports.markdown import unlinked
from recsys.reports.wording import format_day
from recsys.state.alerts import Alert
from recsys.state.views import link

MAX_LINES = 50  # alerts in a message; the page has all


def digest(alerts: Sequence[Alert], as_of: date, base: str) -> Message:
    """
    Write alerts with links to their evidence; names in them do not become links in a mail program.

    Args:
        alerts: At least one alert.
        as_of: The last day of data.
        base: Address of the dashboards.
    """
    n, day = len(alerts), format_day(as_of)
    subject = f"{n:,} {'alert' if n == 1 else 'alerts'} on your watchlist, data up to {day}"
    lines = [
        line
        for alert in alerts[:MAX_LINES]
        for line in (f"- {unlinked(alert.text)}", f"  {link(alert.page, alert.parameters, base)}")
    ]
    more = [f"And {n - MAX_LINES:,} more:"] * (n > MAX_LINES)
    end = [*more, "All alerts, and which ones you get:", f"  {link('watchlist', {}, base)}"]
    return Message.of("alerts", subject, "\n".join([*lines, "", *end]))
