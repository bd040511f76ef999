"""Commands for tags: train heads on labels of one's own, and cluster recordings without any."""

from pathlib import Path
from typing import Any

import click

from recsys.cli.options import opened, output_options, today_of
from recsys.errors import InputError
from recsys.home import Home

_BLOCKS = ("sound", "metadata", "lyrics", "listening")


@click.group()
def tags() -> None:
    """Learn tags from labels of your own, or clusters without labels."""


def _blocks(_ctx: click.Context, _option: click.Parameter, text: str) -> tuple[str, ...]:
    """Return the inputs of a comma-separated list; raises InputError for one that does not exist."""
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",")))
    if unknown := [name for name in names if name not in _BLOCKS]:
        raise InputError(f"--inputs names {unknown[0]!r}; expected some of {', '.join(_BLOCKS)}, separated by commas")
    return names


@tags.command("train")
@click.argument("labels", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--inputs",
    default=",".join(_BLOCKS),
    show_default=True,
    callback=_blocks,
    help="What heads read of a recording, separated by commas.",
)
@click.option("--semi", is_flag=True, help="Also learn from recordings without labels (semi-supervised).")
@click.option("--with-unknown", is_flag=True, help="Also train on sound and lyrics whose consent is unknown.")
@click.pass_obj
def train_heads(home: Home, /, labels: Path, inputs: tuple[str, ...], **options: Any) -> None:
    """
    Train a head per kind of tag on LABELS, a CSV file with the columns track_id, kind and tag.

    The tags enter the lake with calibrated probabilities; recsys build updates the tables.
    """
    from recsys.cli.show import tags as show
    from recsys.tags.learn import learn
    from recsys.tags.train import TagSettings

    with opened(home):
        learn(home, labels, inputs, TagSettings(**options), today=today_of(home), progress=show.learned)
    show.next_steps()


@tags.command("clusters")
@click.option(
    "--n", "n_clusters", type=click.IntRange(min=1), help="Clusters at most.  [default: sqrt(recordings / 2)]"
)
@click.option("--seed", default=7, show_default=True, help="Seed of the starts.")
@click.option("--with-unknown", is_flag=True, help="Also learn from recordings whose consent is unknown.")
@output_options
@click.pass_obj
def cluster_recordings(home: Home, /, form: str, out: Path | None, **options: Any) -> None:
    """
    Cluster the recordings by their sound, and name the clusters from their tags.

    Each recording's cluster enters the lake as a tag; recsys build updates the tables.
    """
    from recsys.cli.show import tables
    from recsys.tags.cluster_catalogue import cluster_catalogue

    with opened(home):
        found = cluster_catalogue(home, **options, today=today_of(home))
    tables.answer(found, form, out)
    tables.notes("To update the tables: recsys build. Clusters of recordings: marts.track_tags, tagger clusters.")
