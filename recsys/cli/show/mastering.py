"""Printed output of `recsys master`."""

from typing import TYPE_CHECKING

import polars as pl

from recsys.cli.show.tables import frame, out

if TYPE_CHECKING:
    from recsys.audio.mastering.mastered import Mastered


def mastered(result: "Mastered") -> None:
    """Print the facts of a file, what deserves attention, the balance, the platforms, and the copy beside it."""
    from recsys.audio.mastering.wording import done, remarks, rows

    columns = {"fact": [row.name for row in rows(result.facts)], "file": [row.value for row in rows(result.facts)]}
    if result.after is not None:
        columns["copy"] = [row.value for row in rows(result.after)]
    frame(pl.DataFrame(columns))
    for sentence in [*remarks(result.facts), *result.balance, *(play.sentence for play in result.playbacks)]:
        out.print(f"- {sentence}", soft_wrap=True)
    if result.plan is not None:
        out.print(f"{result.copy}: {done(result.plan, result.after)}", soft_wrap=True)
