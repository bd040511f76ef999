"""
A generated catalogue with planted duplicates and decoys, and the song that each track really is.

Duplicates are delivered again under another id, as labels do: with the ISRC and another spelling; without the ISRC, but
with title, artist and length; with a new ISRC of another registrant; with a misspelt title, but the same sound. Some
have no evidence at all, and cannot be found. Decoys look like duplicates and are none: versions, in six languages, some
with the ISRC of the original; other guests; clean versions; other takes, three seconds longer; covers; wrong ISRCs; and
instrumentals that nothing marks.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from recsys.demo import names

Row = dict[str, Any]
Maker = Callable[[Row, np.random.Generator], Row]
SCHEMA = dict.fromkeys(
    ("track_id", "title", "artist_id", "artist_name", "artist_type", "release_title", "isrc", "audio_id"), pl.String
) | {"release_date": pl.Date, "duration_ms": pl.Int64, "explicit": pl.Boolean, "audio_ms": pl.Int64}
VERSIONS = (
    *("{} (Live)", "{} - Live at the Forum", "{} (Ao Vivo)", "{} (En Vivo)", "{} - Dal Vivo", "{}（ライブ）"),  # noqa: RUF001
    *("{} (Club Remix)", "{} - Remix", "{} (Remezcla)", "{} (Remastered 2011)", "{} - 2009 Remaster"),
    *("{} (Remasterisé)", "{} (Instrumental)", "{} [Instrumentale]", "{} (Acoustic)", "{} - Acústico", "{} (Akustik)"),
    *("{} (Radio Edit)", "{} - Karaoke Version", "{} (Demo)", "{} (Sped Up)", "{} (A Cappella)"),
)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    str.upper,
    str.lower,
    lambda title: f"{title} (Album Version)",
    lambda title: f"{title} [Explicit]",
    lambda title: f" {title.replace(' ', '  ')} ",
    lambda title: f"{title} - Bonus Track",
    lambda title: title.replace(",", "").replace("'", "\u2019"),
    lambda title: title,
)
GUESTS = ("Oda Vinterberg", "Kwame Asante-Lund", "Mirela Dobrescu", "The Paper Harbours")


@dataclass(frozen=True)
class Planted:
    """
    A catalogue with the truth.

    Attributes:
        tracks: The catalogue, as the cleaning step reads it.
        song: The recording that each track really is: track_id -> a name that duplicates share.
        kind: How each planted track was made; other tracks are not in it.
        original: The track that each planted track resembles.
        sounds: Pairs of tracks whose sound the matcher would find to be the same.
    """

    tracks: pl.DataFrame
    song: dict[str, str]
    kind: dict[str, str]
    original: dict[str, str]
    sounds: list[tuple[str, str]] = field(default_factory=list)


def planted_catalogue(n: int, rng: np.random.Generator) -> Planted:
    """Generate about n tracks, of which a twentieth are duplicates, and as many decoys."""
    own = _own_tracks(round(0.9 * n), rng)
    rows, song = list(own), {row["track_id"]: row["track_id"] for row in own}
    kind: dict[str, str] = {}
    original: dict[str, str] = {}
    sounds: list[tuple[str, str]] = []
    chosen = iter(rng.permutation(len(own)))
    for makers, share, is_same in ((DUPLICATES, 0.05, True), (DECOYS, 0.05, False)):
        weights = np.array([weight for weight, _ in makers.values()])
        for name in rng.choice(list(makers), round(share * n), p=weights / weights.sum()):
            of = own[int(next(chosen))]
            new = of | {"track_id": f"n{len(rows)}", "release_title": f"{of['release_title']} II"}
            rows.append(makers[name][1](new, rng))
            song[new["track_id"]] = of["track_id"] if is_same else new["track_id"]
            kind[new["track_id"]], original[new["track_id"]] = str(name), of["track_id"]
            if name == "sound":
                sounds.append((of["track_id"], new["track_id"]))
    return Planted(pl.DataFrame(rows, SCHEMA), song, kind, original, sounds)


def _own_tracks(n: int, rng: np.random.Generator) -> list[Row]:
    """Return tracks of many artists; titles repeat between artists, and now and then within one."""
    n_artists = max(2, n // 20)
    people = np.concatenate([names.people(1_400, rng), names.groups(3_500, rng)])
    artists = [
        f"{people[k % len(people)]}{' ' * bool(k // len(people))}{'IVX'[: k // len(people)]}" for k in range(n_artists)
    ]
    titles = np.concatenate([names.titles(language) for language in names.WORDS])
    artist, title = rng.integers(0, n_artists, n), rng.choice(titles, n)
    length_ms = np.clip(rng.lognormal(12.27, 0.28, n), 62_000, 900_000).astype(int)
    has_isrc, is_explicit = rng.random(n) < 0.95, rng.random(n) < 0.1
    return [
        dict.fromkeys(SCHEMA)
        | {"track_id": f"t{k}", "title": str(title[k]), "artist_id": f"a{artist[k]}", "artist_name": artists[artist[k]]}
        | {"artist_type": "group" if artist[k] % 3 else "unknown", "release_title": f"Album {artist[k]}-{k % 4}"}
        | {"duration_ms": int(length_ms[k]), "isrc": f"USX1Y{k:07d}" if has_isrc[k] else None}
        | {"explicit": bool(is_explicit[k])}
        for k in range(n)
    ]


def _near(row: Row, rng: np.random.Generator, most_ms: int) -> Row:
    return row | {"duration_ms": row["duration_ms"] + int(rng.integers(-most_ms, most_ms + 1))}


def _respelt(row: Row, rng: np.random.Generator) -> Row:
    return row | {"title": SPELLINGS[rng.integers(len(SPELLINGS))](row["title"])}


def _misspelt(row: Row, rng: np.random.Generator) -> Row:
    """Swap two letters in the middle of the title."""
    title, k = row["title"], int(rng.integers(1, max(2, len(row["title"]) - 2)))
    return row | {"title": title[:k] + title[k : k + 2][::-1] + "x" + title[k + 2 :], "isrc": None}


def _same_isrc(row: Row, rng: np.random.Generator) -> Row:
    if row["isrc"] is None:
        return _same_names(row, rng)
    code = row["isrc"]
    spelt = (code, code.lower(), f"{code[:2]}-{code[2:5]}-{code[5:7]}-{code[7:]}")[rng.integers(3)]
    return _near(_respelt(row, rng), rng, 4_000) | {"isrc": spelt}


def _same_names(row: Row, rng: np.random.Generator) -> Row:
    other_id = {"artist_id": row["artist_id"] + "b"} if rng.random() < 0.2 else {}
    return _near(_respelt(row, rng), rng, 2_000) | {"isrc": None} | other_id


def _guest_named(row: Row, rng: np.random.Generator) -> Row:
    """The artist credit of the copy names a guest, that of the original does not."""
    guest = GUESTS[rng.integers(len(GUESTS))]
    credit = {"artist_id": row["artist_id"] + "f", "artist_name": f"{row['artist_name']} feat. {guest}"}
    return _near(row, rng, 2_000) | {"isrc": None, "artist_type": "unknown"} | credit


def _version(row: Row, rng: np.random.Generator) -> Row:
    has_same_isrc = {} if rng.random() < 0.05 else {"isrc": None}
    return (
        _near(row, rng, 2_000) | {"title": VERSIONS[rng.integers(len(VERSIONS))].format(row["title"])} | has_same_isrc
    )


def _other_song(row: Row, _rng: np.random.Generator) -> Row:
    """Another song by another artist, with the ISRC and length of the original."""
    return row | {
        "title": f"Song {row['track_id']}",
        "artist_id": row["track_id"],
        "artist_name": f"Artist {row['track_id']}",
    }


def _next_isrc(row: Row) -> Row:
    """Another recording by the same artist has another ISRC of the same registrant."""
    return row | {"isrc": f"USX1Y9{row['track_id'][1:]:0>6}"}


def _foreign_isrc(row: Row) -> Row:
    return row | {"isrc": f"GBX1Z{row['track_id'][1:]:0>7}"}


DUPLICATES: dict[str, tuple[float, Maker]] = {  # kind -> share, how the copy is made
    "isrc": (0.4, _same_isrc),
    "names": (0.35, _same_names),
    "guest in the credit": (0.05, _guest_named),
    "sound": (0.15, lambda row, rng: _near(_misspelt(row, rng), rng, 1_500)),
    "registered again": (0.02, lambda row, rng: _foreign_isrc(_near(_respelt(row, rng), rng, 1_500))),
    "no evidence": (0.03, lambda row, rng: _near(_misspelt(row, rng), rng, 1_500)),
}
DECOYS: dict[str, tuple[float, Maker]] = {
    "version": (0.5, _version),
    "clean version": (0.05, lambda row, rng: _next_isrc(_near(row, rng, 500)) | {"explicit": not row["explicit"]}),
    "another take": (0.1, lambda row, _rng: _next_isrc(row) | {"duration_ms": row["duration_ms"] + 3_000}),
    "cover": (
        0.2,
        lambda row, rng: _foreign_isrc(_near(row, rng, 2_000)) | {"artist_id": "x", "artist_name": "Cover Club"},
    ),
    "wrong ISRC": (0.05, _other_song),
    "other guest": (
        0.05,
        lambda row, rng: _next_isrc(_near(row, rng, 2_000)) | {"title": f"{row['title']} (feat. Oda)"},
    ),
    "unmarked, same release": (
        0.04,
        lambda row, rng: _next_isrc(_near(row, rng, 500)) | {"release_title": row["release_title"].removesuffix(" II")},
    ),
    "unmarked, other release": (0.01, lambda row, rng: _next_isrc(_near(row, rng, 500))),
}
