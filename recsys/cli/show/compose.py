"""Printed output of `recsys compose`."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import polars as pl

from recsys.cli.show.tables import frame
from recsys.reports.wording import without_controls
from recsys.synth.notation import chord_name, key_name

if TYPE_CHECKING:
    from recsys.compose.lines import LyricText
    from recsys.compose.write import Idea

MOST_CHORDS = 6  # shown of each suggestion


def ideas(found: "list[Idea]", written: list[Path]) -> None:
    """Print what was suggested, where it is, and the most similar known tune."""
    rows = [_row(idea, path) for idea, path in zip(found, written, strict=True)]
    frame(pl.DataFrame(rows))
    click.echo(f"Beside each: the same as .mid and .wav. Folder: {written[0].parent}")


def _row(idea: "Idea", path: Path) -> dict[str, str]:
    chords = [chord_name(chord) for chord in idea.tune.chords]
    more = " ..." if len(chords) > MOST_CHORDS else ""
    row = {
        "file": path.name,
        "notes": str(len(idea.tune.notes)),
        "key": key_name(idea.tune.tonic, idea.tune.mode),
        "chords": " ".join(chords[:MOST_CHORDS]) + more,
    }
    if idea.nearest:
        row |= {
            "nearest": without_controls(idea.nearest.name)[:24],
            "similar": f"{idea.nearest.score:.2f}",
            "run": str(idea.nearest.longest_run),
        }
    return row


def card(values: dict[str, Any], folder: Path) -> None:
    """Print what a model learnt from and what it memorised."""
    memorised = values["memorisation"]
    click.echo(f"Learnt from {values['n_tunes']} tunes, {values['n_notes']:,} notes; the consent of all is granted.")
    if values["bits_per_note"] is not None:
        click.echo(f"{values['bits_per_note']:.2f} bits per note of {values['n_held_out']} tunes that were held out.")
    click.echo(
        f"Without the gate, {memorised['share_with_a_copy']:.0%} of {memorised['n_drawn']} melodies would have a "
        "copied run of 12 notes; suggestions have none."
    )
    click.echo(folder)


def stanzas(found: "list[list[LyricText]]") -> None:
    """Print stanzas, and how much of them stands in the writer's text."""
    for stanza in found:
        click.echo("\n".join(without_controls(line.text) for line in stanza) + "\n")
    lines = [line for stanza in found for line in stanza]
    pairs, all_pairs = sum(line.n_pairs for line in lines), sum(len(line.words) - 1 for line in lines)
    click.echo(
        f"{pairs} of {all_pairs} pairs of words stand in the text or the theme. No language model made these lines: "
        "they scan and rhyme, and mean something only by chance."
    )
