"""Print what the attack on labels' figures found."""

from collections.abc import Sequence

import polars as pl

from recsys.cli.show.tables import frame
from recsys.ledger.audit import Attack


def attacked(found: Sequence[Attack]) -> None:
    """Print a table of groups and the range of what their listeners have; nothing if there is no group."""
    rows = [
        {
            "label_id": attack.label_id,
            "measure": attack.measure,
            "period": " to ".join(map(str, attack.period)),
            "group": ", ".join(str(value) for _, value in attack.group),
            "low": round(attack.low),
            "high": round(attack.high),
        }
        for attack in found
    ]
    if rows:
        frame(pl.DataFrame(rows))
