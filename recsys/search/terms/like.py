"""
Similar sound: like a track or a file, but slower, faster, louder, quieter, calmer or more energetic.

Recordings that sound similar to a track, by its id or its title (in quotes, with `by` and the artist where several
have it), or to an audio file on this machine; `but` asks for slower or faster by at least 3 %, louder or quieter by
at least 1 dB, calmer or more energetic ones.
"""

from collections.abc import Callable

import numpy as np

from recsys.errors import InputError, UnknownIds
from recsys.search.catalogue import Catalogue, Reference
from recsys.search.condition import Condition, Row
from recsys.search.grammar import Node

EXAMPLES = (
    "like trk_852206",
    'sounds like "The Engine Is Silver" by Farah Steinhöfel',
    "like trk_852206 but slower and louder",
)
GRAMMAR = r"""
like: _LIKE (QUOTED | LIKE_NAME) (_BY (QUOTED | LIKE_NAME))? change*
change: _BUT CHANGE (_AND CHANGE)*
_LIKE.60: /(?:sounds?\s+like|sounding\s+like|similar\s+to|like)\s+(?=\S)/i
LIKE_NAME.57: /(?:(?!\s+but\s+|\s+by\s+)[^,;"])+/i
_BY.59: /by\s+/i
_BUT.100: /,?\s*but\s+(?:a\s+(?:bit|little)\s+|much\s+|slightly\s+)?(?=slower|faster|louder|quieter|calmer|more\s)/i
_AND.61: /and\s+(?=slower|faster|louder|quieter|calmer|more\s)/i
CHANGE.62: /slower|faster|louder|quieter|calmer|more\s+energetic/i
"""
# Change -> the column, the sign of the comparison, and the threshold from the value of the reference.
CHANGES: dict[str, tuple[str, str, Callable[[float], float]]] = {
    "slower": ("tempo_bpm", "<=", lambda value: value / 1.03),
    "faster": ("tempo_bpm", ">=", lambda value: value * 1.03),
    "louder": ("loudness_lufs", ">=", lambda value: value + 1.0),
    "quieter": ("loudness_lufs", "<=", lambda value: value - 1.0),
    "calmer": ("energy", "<", lambda value: value),
    "more energetic": ("energy", ">", lambda value: value),
}
SIMILARITY = "coalesce(sound.similarity, 0)"  # `sound` has the nearest neighbours of the reference


def condition(node: Node, catalogue: Catalogue) -> Condition:
    """
    Return the condition of a similar sound.

    Raises:
        InputError: Sound is not searched here, or the reference has no sound, or a value that a change compares.
        UnknownIds: There is no such track.
    """
    title, artist, *_ = [*(str(token).strip('"“” ') for token in node.children if not hasattr(token, "data")), ""]
    reference = _reference(title, artist, catalogue)
    changes = [" ".join(str(token).lower().split()) for change in node.find_data("change") for token in change.children]
    return Condition(
        text=f"sounds like {reference.name}" + (f", but {' and '.join(changes)}" if changes else ""),
        where=" and ".join(["t.has_sound", *(_limit(change, reference) for change in changes)]),
        score=f"greatest({SIMILARITY}, 0)",
        values={"similarity": SIMILARITY, **{CHANGES[change][0]: f"t.{CHANGES[change][0]}" for change in changes}},
        reason=lambda row: _reason(row, reference, changes),
        sound=reference,
    )


def _reference(name: str, artist: str, catalogue: Catalogue) -> Reference:
    if catalogue.index is None:
        raise InputError("There is no index of the sound to search in. Scan some music: recsys audio scan FOLDER")
    if catalogue.embed is not None and (of_file := catalogue.embed(name)):
        return of_file
    found = catalogue.find(name, artist)
    if found.is_empty():
        by = f" by {artist!r}" if artist else ""
        raise UnknownIds(f"There is no track {name!r}{by}. Give its id, or its title in quotes with by ARTIST")
    track = found.row(0, named=True)
    if not track.pop("has_sound"):
        raise InputError(f"The sound of {name!r} has not been analysed. Choose a track with audio")
    (index_rows,) = np.nonzero(catalogue.rows_of_index == track.pop("row"))
    title = f"{track.pop('title')} by {track.pop('artist_name')}"
    return Reference(title, catalogue.index.vector(int(index_rows[-1])), **track)


def _limit(change: str, reference: Reference) -> str:
    column, sign, threshold = CHANGES[change]
    value = getattr(reference, column)
    if value is None:
        raise InputError(
            f"'but {change}' compares {column}, which is not known of {reference.name}. Give a range instead, such as "
            "70-90 bpm"
        )
    return f"t.{column} {sign} {threshold(value)!r}"


def _reason(row: Row, reference: Reference, changes: list[str]) -> str:
    compared = [
        f"{row[CHANGES[change][0]]:.3g} against {getattr(reference, CHANGES[change][0]):.3g}: {change}"
        for change in changes
    ]
    return "; ".join([f"sound {row['similarity']:.2f} like {reference.name}", *compared])
