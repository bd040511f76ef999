"""
The synthetic catalogue: labels, artists and tracks, as tables for the files and as arrays for the simulator.

An artist belongs to one scene. The probability that a listen of an artist is of a given track falls with the track's
age and varies widely. Days count from the first day of the period: the back catalogue has negative release days, new
releases have positive ones.
"""

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from recsys.demo import names
from recsys.demo.geography import CODES, COUNTRIES, EVERYWHERE, SCENES, TERRITORIES
from recsys.demo.world import World

NEVER_WITHDRAWN = 30_000  # withdrawal day of a track that is never withdrawn
PREFERENCE_DIMENSIONS = 8
N_WITHDRAWN = 16


@dataclass(frozen=True, slots=True)
class Artists:
    """Artists by row. Shapes (n_artists,), except the position within the scene, (n_artists, PREFERENCE_DIMENSIONS)."""

    ids: np.ndarray
    scene: np.ndarray
    label: np.ndarray
    country: np.ndarray
    weight: np.ndarray
    position: np.ndarray


@dataclass(frozen=True, slots=True)
class Tracks:
    """Tracks by row, grouped by artist, with what the simulator needs. All shapes (n_tracks,)."""

    ids: np.ndarray
    artist: np.ndarray
    release: np.ndarray
    release_day: np.ndarray
    withdrawn_day: np.ndarray
    duration_ms: np.ndarray
    territory: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The arrays for the simulator and the tables for the files; `track_table` has the row order of `tracks`."""

    artists: Artists
    tracks: Tracks
    label_table: pl.DataFrame
    artist_table: pl.DataFrame
    track_table: pl.DataFrame


def make_catalogue(world: World, rng: np.random.Generator) -> Catalogue:
    """Generate the labels, artists and tracks of a world, without the planted duplicates."""
    label_table = _label_table(world, rng)
    artists = _artists(world, label_table["label_type"].to_numpy(), rng)
    tracks = _tracks(world, artists, rng)
    return Catalogue(
        artists=artists,
        tracks=tracks,
        label_table=label_table,
        artist_table=_artist_table(artists, rng),
        track_table=_track_table(world, label_table, artists, tracks, rng),
    )


def with_copies(catalogue: Catalogue, rows: np.ndarray, table: pl.DataFrame) -> Catalogue:
    """Append a copy of each track in `rows` (row numbers); `table` has the copies' rows of the track table."""
    old = catalogue.tracks
    tracks = Tracks(**{name: np.concatenate([getattr(old, name), getattr(old, name)[rows]]) for name in old.__slots__})
    tracks.ids[len(old.ids) :] = table["track_id"].to_numpy()
    return replace(catalogue, tracks=tracks, track_table=pl.concat([catalogue.track_table, table]))


def _label_table(world: World, rng: np.random.Generator) -> pl.DataFrame:
    n = world.n_labels
    kinds = np.array(["independent"] * n)
    kinds[:4] = "major"
    kinds[-2:] = "unknown"
    return pl.DataFrame(
        {
            "label_id": names.ids("lb", n, 3, rng),
            "name": names.labels(n, rng),
            "label_type": rng.permutation(kinds),
            "country": rng.choice(CODES, n, p=_country_shares()),
        }
    )


def _country_shares() -> np.ndarray:
    shares = np.array([country.share for country in COUNTRIES])
    return np.asarray(shares / shares.sum())


def _artists(world: World, label_types: np.ndarray, rng: np.random.Generator) -> Artists:
    n = world.n_artists
    signing = np.where(label_types == "major", 6.0, 1.0) * rng.gamma(4.0, size=len(label_types))
    label = rng.choice(world.n_labels, n, p=signing / signing.sum())
    scene = rng.permutation(np.arange(n) % len(SCENES))
    homes = np.array([rng.choice(SCENES[row].countries) for row in scene])
    return Artists(
        ids=names.ids("ar", n, 5, rng),
        scene=scene,
        label=label,
        country=np.where(rng.random(n) < 0.12, rng.choice(CODES, n), homes),
        weight=rng.lognormal(0.0, 1.0, n) * np.where(label_types[label] == "major", 1.5, 1.0),
        position=rng.normal(0.0, 1.0, (n, PREFERENCE_DIMENSIONS)),
    )


def _artist_table(artists: Artists, rng: np.random.Generator) -> pl.DataFrame:
    n = len(artists.ids)
    kind = rng.choice(["person", "group", "unknown"], n, p=[0.58, 0.35, 0.07])
    of_person = rng.choice(["female", "male", "nonbinary", "unknown"], n, p=[0.33, 0.5, 0.04, 0.13])
    of_group = rng.choice(["mixed", "male", "female", "unknown"], n, p=[0.42, 0.32, 0.14, 0.12])
    return pl.DataFrame(
        {
            "artist_id": artists.ids,
            "name": np.where(kind == "group", names.groups(n, rng), names.people(n, rng)),
            "gender": np.where(kind == "person", of_person, np.where(kind == "group", of_group, "unknown")),
            "artist_type": kind,
            "country": with_nulls(artists.country, 0.05, rng),
        }
    )


def _tracks(world: World, artists: Artists, rng: np.random.Generator) -> Tracks:
    n = world.n_tracks - world.n_duplicates
    artist = _artist_of_each_track(n, len(artists.ids), rng)
    is_first = np.r_[True, artist[1:] != artist[:-1]] | (rng.random(n) < 0.18)
    release = np.cumsum(is_first) - 1
    n_releases = int(release[-1]) + 1
    release_day = _release_days(world, n_releases, rng)[release]
    return Tracks(
        ids=names.ids("trk", world.n_tracks, 6, rng)[:n],
        artist=artist,
        release=release,
        release_day=release_day,
        withdrawn_day=_withdrawn_days(world, release_day, rng),
        duration_ms=np.clip(rng.lognormal(12.27, 0.28, n), 62_000, 900_000).astype(np.int64),
        territory=_territories(artists.country[artist[is_first]], rng)[release],
        weight=rng.lognormal(0.0, 0.9, n) * 0.97 ** np.maximum(-release_day / 365.0, 0.0),
    )


def _artist_of_each_track(n: int, n_artists: int, rng: np.random.Generator) -> np.ndarray:
    """Give each artist at least three tracks and distribute the others unevenly, up to about sixty."""
    share = rng.gamma(1.6, size=n_artists)
    counts = 3 + rng.multinomial(n - 3 * n_artists, share / share.sum())
    return np.repeat(np.arange(n_artists), counts)


def _release_days(world: World, n: int, rng: np.random.Generator) -> np.ndarray:
    """Draw release days: mostly back catalogue, 9 % within the period; always a Friday, the industry's release day."""
    back = -rng.exponential(9 * 365.0, n).clip(20, 55 * 365)
    new = rng.uniform(5, world.n_days - 3, n)
    day = np.where(rng.random(n) < 0.09, new, back).astype(np.int64)
    return np.asarray(day - (day + world.first_date.weekday() - 4) % 7)


def _withdrawn_days(world: World, release_day: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    days = np.full(len(release_day), NEVER_WITHDRAWN, dtype=np.int64)
    rows = rng.choice(np.flatnonzero(release_day < -60), N_WITHDRAWN, replace=False)
    days[rows] = rng.integers(-20, world.n_days - 5, N_WITHDRAWN)
    return days


def _territories(country: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the territory of each release: mostly everywhere, else one that includes the artist's home country."""
    territory = np.full(len(country), EVERYWHERE, dtype=np.int64)
    for row in np.flatnonzero(rng.random(len(country)) < 0.07):
        fitting = [number for number, codes in enumerate(TERRITORIES) if country[row] in codes]
        territory[row] = rng.choice(fitting or range(1, len(TERRITORIES)))
    return territory


def _track_table(
    world: World, label_table: pl.DataFrame, artists: Artists, tracks: Tracks, rng: np.random.Generator
) -> pl.DataFrame:
    scene = artists.scene[tracks.artist]
    title = _titles(tracks.artist, scene, rng)
    label = artists.label[tracks.artist]
    n = len(title)
    explicit_share = np.array([s.explicit_share for s in SCENES])[scene]
    return pl.DataFrame(
        {
            "track_id": tracks.ids,
            "title": title.tolist(),
            "artist_id": artists.ids[tracks.artist],
            "label_id": label_table["label_id"].to_numpy()[label],
            "release_title": _release_titles(title, tracks.release).tolist(),
            "release_date": [world.date_of(day) for day in tracks.release_day],
            "duration_ms": tracks.duration_ms,
            "isrc": _isrcs(world, label_table["country"].to_numpy()[label], label, tracks.release_day, rng),
            "genres": _genres(scene, rng),
            "language": with_nulls(np.array([s.language for s in SCENES], dtype=object)[scene], 0.04, rng),
            "explicit": with_nulls(rng.random(n) < explicit_share, 0.03, rng),
            "available_in": [list(TERRITORIES[number]) for number in tracks.territory],
            "withdrawn_at": [None if day == NEVER_WITHDRAWN else world.date_of(day) for day in tracks.withdrawn_day],
            "training_consent": rng.choice(["granted", "denied", "unknown"], n, p=[0.84, 0.06, 0.10]),
        },
        schema_overrides={"available_in": pl.List(pl.String), "withdrawn_at": pl.Date, "genres": pl.List(pl.String)},
    )


def _titles(artist: np.ndarray, scene: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw titles that are distinct within an artist: from a random start in the list of titles, in fixed strides."""
    nth = np.arange(len(artist)) - np.searchsorted(artist, artist)
    number = rng.integers(1 << 20, size=int(artist[-1]) + 1)[artist] + names.TITLE_STRIDE * nth
    title = np.empty(len(artist), dtype=object)
    for language in {s.language for s in SCENES}:
        in_language = np.isin(scene, [row for row, s in enumerate(SCENES) if s.language == language])
        choices = names.titles(language)
        title[in_language] = choices[number[in_language] % len(choices)]
    return title


def _release_titles(title: np.ndarray, release: np.ndarray) -> np.ndarray:
    """Name each release after its first track; a release of one track ends with "Single"."""
    first = np.searchsorted(release, release)
    size = np.bincount(release)[release]
    return np.where(size == 1, title[first] + " - Single", title[first])


def _isrcs(
    world: World, country: np.ndarray, label: np.ndarray, release_day: np.ndarray, rng: np.random.Generator
) -> list[object]:
    """Return well-formed ISRCs: country, registrant, year, number; one track in 40 has none."""
    year = np.array([world.date_of(day).year % 100 for day in release_day])
    number = rng.choice(100_000, len(label), replace=False)
    codes = [
        f"{c}{'KLMNPRSTVW'[label_row % 10]}{label_row:02d}{y:02d}{no:05d}"
        for c, label_row, y, no in zip(country, label, year, number, strict=True)
    ]
    return with_nulls(np.array(codes), 0.025, rng)


def _genres(scene: np.ndarray, rng: np.random.Generator) -> list[list[str]]:
    """Return the genres of each track: 46 % the scene's first, 52 % both, 2 % none."""
    n_named = rng.choice([0, 1, 2], len(scene), p=[0.02, 0.46, 0.52])
    return [[SCENES[row].genre, SCENES[row].second_genre][:n] for row, n in zip(scene, n_named, strict=True)]


def with_nulls(values: np.ndarray, share: float, rng: np.random.Generator) -> list[object]:
    """Return the values with a random share of them replaced by None."""
    is_null = rng.random(len(values)) < share
    return [None if missing else value for missing, value in zip(is_null, values.tolist(), strict=True)]
