"""
Vectors of the current release for other programs: factors of the published model, and vectors of the sound.

An export is a folder: the file of tensors and the Parquet files have the same rows in the same order, and a card says
what they are. Used by `recsys export-model`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from safetensors.numpy import save_file

from recsys import files
from recsys.arrays import F32
from recsys.errors import InputError, SetupError, UnknownIds
from recsys.home import Home
from recsys.published.explain import published_model
from recsys.published.search import published_index
from recsys.recommenders.base import Recommender
from recsys.recommenders.blend import Blend
from recsys.recommenders.scorer import Scorer
from recsys.releases import registry

SOUND = "sound"
INNER_PRODUCT, COSINE = "inner product", "cosine"
TENSORS, TRACKS, LISTENERS, CARD = "vectors.safetensors", "tracks.parquet", "listeners.parquet", "card.md"


@dataclass(frozen=True, eq=False)
class Vectors:
    """
    Vectors of tracks, and of the listeners whose scores they give.

    Attributes:
        name: A recommender, or `SOUND`.
        track_ids: Id of each row, as the warehouse has it; ascending.
        tracks: Shape (n_tracks, n_dimensions), float32.
        metric: `INNER_PRODUCT` or `COSINE`: how vectors are compared.
        facts: What else the card says, by name: training cut, run, settings, encoder.
        user_ids: Pseudonymous id of each row of `users`, ascending; None for vectors without listeners.
        users: Shape (n_listeners, n_dimensions), float32.
    """

    name: str
    track_ids: pl.Series
    tracks: F32
    metric: str
    facts: dict[str, str]
    user_ids: pl.Series | None = None
    users: F32 | None = None


def available(home: Home) -> list[Vectors]:
    """List all vectors of the current release: those of the model or of a blend's members, and of the sound."""
    release = registry.current(home)
    found = [] if release is None or release.model is None else list(_of_model(published_model(home), release.model))
    return found + _of_sound(home)


def vectors(home: Home, name: str) -> Vectors:
    """
    Return vectors by name.

    Raises:
        SetupError: The release has no vectors.
        UnknownIds: It has none of this name.
    """
    found = {one.name: one for one in available(home)}
    if not found:
        raise SetupError(
            f"The release of {home.path} has no vectors: no model with factors, no sound. Add als to the recipe, or "
            "scan music: recsys audio scan FOLDER. Then run: recsys nightly"
        )
    if name not in found:
        raise UnknownIds.of("vector set", [name], found, f"the release, which has {', '.join(found)}")
    return found[name]


def write_vectors(chosen: Vectors, folder: Path, *, with_listeners: bool = False) -> None:
    """
    Write vectors to a new folder: safetensors, Parquet and a card.

    Args:
        chosen: The vectors.
        folder: The folder; it appears when it is complete.
        with_listeners: Whether vectors of listeners are written too, with their pseudonymous ids.

    Raises:
        InputError: The folder exists, or there are no vectors of listeners.
    """
    if folder.exists():
        raise InputError(f"{folder} exists; expected a new folder. Give another name, or remove it")
    if with_listeners and chosen.users is None:
        raise InputError(f"{chosen.name} has no vectors of listeners. Leave out --listeners")
    users = chosen.users if with_listeners else None
    tensors = {"tracks": chosen.tracks} | ({} if users is None else {"listeners": users})
    metadata = {"name": chosen.name, "metric": chosen.metric, "rows": "as in the Parquet files", **chosen.facts}
    with files.new_folder(folder) as beside:
        save_file({name: np.ascontiguousarray(rows) for name, rows in tensors.items()}, beside / TENSORS, metadata)
        _table("track_id", chosen.track_ids, chosen.tracks).write_parquet(beside / TRACKS)
        if users is not None and chosen.user_ids is not None:
            _table("user_id", chosen.user_ids, users).write_parquet(beside / LISTENERS)
        files.write_text(beside / CARD, _card(chosen, with_listeners=with_listeners))


def _of_model(model: Recommender[Any], folder: Path) -> Iterator[Vectors]:
    """Yield the vectors of a model, or of each member of a blend, that has some."""
    members = model.scorer.members if isinstance(model.scorer, Blend) else [model.scorer]
    provenance = files.read_json(folder / "provenance.json")
    for scorer in members:
        if (tracks := scorer.track_vectors()) is not None:
            users = np.asarray(scorer.states(np.arange(len(model.users))), np.float32)
            facts = _facts(scorer, model, provenance)
            yield Vectors(scorer.name, model.tracks.ids(), tracks, INNER_PRODUCT, facts, model.users.ids(), users)


def _facts(scorer: Scorer[Any], model: Recommender[Any], provenance: dict[str, Any]) -> dict[str, str]:
    settings = ", ".join(f"{name} = {value}" for name, value in vars(scorer.config).items())
    part = "" if scorer is model.scorer else f", as a member of {model.scorer.name}"
    return {
        "run": provenance["run_id"],
        "trained on": f"listening up to {provenance['as_of']}{part}",
        "settings": settings,
    }


def _of_sound(home: Home) -> list[Vectors]:
    index = published_index(home)
    if index is None:
        return []
    ids = sorted(index.ids[index.is_there])
    facts = {"run": str(registry.current_name(home)), "trained on": "nothing of this home", "encoder": index.version}
    return [Vectors(SOUND, pl.Series(ids, dtype=pl.String), index.vectors_of(ids), COSINE, facts)]


def _table(column: str, ids: pl.Series, rows: F32) -> pl.DataFrame:
    """Return ids and vectors as a table with one list of numbers per id."""
    return pl.DataFrame({column: ids, "vector": pl.Series(rows, dtype=pl.Array(pl.Float32, rows.shape[1]))})


def _card(chosen: Vectors, *, with_listeners: bool) -> str:
    n_tracks, n_dimensions = chosen.tracks.shape
    facts = "\n".join(f"- {name}: {value}" for name, value in chosen.facts.items())
    tensors = f"- `tracks`: {n_tracks:,} x {n_dimensions}, float32; row n belongs to row n of `{TRACKS}`"
    if with_listeners and chosen.users is not None:
        n_listeners = len(chosen.users)
        tensors += (
            f"\n- `listeners`: {n_listeners:,} x {n_dimensions}, float32; row n belongs to row n of `{LISTENERS}`"
        )
    return f"""# Vectors of tracks: {chosen.name}

{facts}
- compare by: {chosen.metric}

`{TENSORS}` has:

{tensors}

Ids are texts, in ascending order, as in the warehouse. {_USES[chosen.metric]}
{_LISTENERS if with_listeners else "Vectors of listeners are not included."}
"""


_USES = {
    INNER_PRODUCT: """The inner product of a listener's and a track's vector is the score
by which the model ranks tracks for the listener, before tracks that they know are left out. Lengths of vectors count:
an index must search by inner product, not by cosine. Tracks that nobody has played have a vector too.""",
    COSINE: """The closer to 1 the cosine of two vectors, the more similar
two recordings sound. These are measurements of recordings: whoever trains a model on them needs the consent of the
rights holders.""",
}
_LISTENERS = """
Vectors of listeners are personal data: pseudonymous ids, and what each listens to in numbers. Erase them here when a
listener is erased from the home (`recsys erase`); the export is not part of the home."""
