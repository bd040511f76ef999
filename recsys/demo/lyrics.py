"""
Lyrics of some recordings: what each one sings, who plays it for its words, and what is wrong with the delivery.

Recordings with audio come first; those of instrumental scenes have no lyrics. Some sing the song of another recording:
a translation, or the text of another uploader with small edits. Some name places, persons and brands. Recordings that
are a cover, remix or re-upload of another one by sound sing the words of their original. Some texts are delivered with
a wrong language or without one; some have explicit words without the flag, others the flag without such words.
Listeners choose among recordings by what is sung only in worlds that say so (`words_weight`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from recsys.demo.catalogue import NEVER_WITHDRAWN
from recsys.demo.geography import EVERYWHERE, SCENES
from recsys.demo.planted_breakouts import PlantingState
from recsys.demo.sounds import redrawn_tracks
from recsys.demo.verses import LANGUAGES, MOODS, PARTS, THEMES, Song, compose, near_copy, with_names
from recsys.demo.world import Truth, World

EXTRA_LANGUAGE = "it"  # no scene sings in it
EXTRA_SHARE = 0.1  # of the songs
HAPPY_SHARES = {"loss": 0.1, "party": 0.9}  # of other themes 0.5
NAMING_SHARE = 0.3  # of the songs; they name no title, since none is of this catalogue
KINDS_NAMED = ("place", "person", "brand")
COPY_SHARES = {"translation": 0.08, "reupload": 0.06}
WRONG_FLAG_SHARE = 0.06
LANGUAGE_SHARES = {"right": 0.85, "missing": 0.1, "wrong": 0.05}
FREE_LICENCE = "CC0-1.0"
LICENCES = {FREE_LICENCE: 0.7, "all rights reserved": 0.3}
CONSENTS = {"granted": 0.84, "denied": 0.06, "unknown": 0.1}
SOURCE = "demo publisher"


@dataclass(frozen=True)
class Sung:
    """
    What a recording sings.

    Attributes:
        song: The song.
        language: Its language, one of LANGUAGES.
        copy: How it copies the song of another recording (translation, cover, remix, reupload); empty for its own.
        of: Id of that recording.
    """

    song: Song
    language: str
    copy: str = ""
    of: str = ""

    @property
    def is_explicit(self) -> bool:
        """Whether the words are explicit."""
        return self.song.is_explicit_in(self.language)

    def text(self, rng: np.random.Generator) -> str:
        """Return the text; that of a copy in the same language has small edits."""
        text = self.song.text(self.language)
        return near_copy(text, rng) if self.copy not in {"", "translation"} else text


def plant_lyrics(
    world: World, state: PlantingState, with_audio: np.ndarray, rng: np.random.Generator
) -> tuple[PlantingState, dict[str, Sung]]:
    """Return the state after listeners have chosen by words, if they do, and what recordings sing, by track id."""
    rows = _singers(world, state, with_audio, rng)
    tracks, artists = state.catalogue.tracks, state.catalogue.artists
    flags = state.catalogue.track_table["explicit"].gather(rows)
    scenes = artists.scene[tracks.artist[rows]]
    sung = {
        str(track_id): _own_song(SCENES[scene].language or EXTRA_LANGUAGE, bool(flag), rng)
        for track_id, scene, flag in zip(tracks.ids[rows], scenes, flags, strict=True)
    }
    sung = dict(_with_names(sung, rng.spawn(1)[0]))
    sung |= dict(_copies(sung, rng))
    if not world.words_weight:
        return state, sung
    return _chosen_by_words(world, state, rows, sung, rng), sung


def _singers(world: World, state: PlantingState, with_audio: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose tracks with lyrics among those that no other planted fact uses, those with audio first."""
    tracks, artists = state.catalogue.tracks, state.catalogue.artists
    has_words = np.array([scene.language is not None for scene in SCENES])[artists.scene[tracks.artist]]
    has_audio = np.isin(np.arange(len(has_words)), with_audio)
    eligible = has_words & (state.unused | has_audio) & (tracks.withdrawn_day == NEVER_WITHDRAWN)
    order = rng.permutation(np.flatnonzero(eligible))
    return np.sort(order[np.argsort(~has_audio[order], kind="stable")][: world.n_tracks_with_lyrics])


def _own_song(language: str, is_marked: bool, rng: np.random.Generator) -> Sung:
    """Write a song; its words agree with the explicit flag, mostly."""
    theme, part = str(rng.choice(THEMES)), str(rng.choice(PARTS))
    mood = MOODS[0] if rng.random() < HAPPY_SHARES.get(theme, 0.5) else MOODS[1]
    is_explicit = is_marked != (rng.random() < WRONG_FLAG_SHARE)
    language = EXTRA_LANGUAGE if rng.random() < EXTRA_SHARE else language
    return Sung(compose(theme, mood, part, rng, is_explicit=is_explicit), language)


def _with_names(sung: Mapping[str, Sung], rng: np.random.Generator) -> Iterator[tuple[str, Sung]]:
    """Yield what recordings sing, where some songs name places, persons and brands, or namesakes of them."""
    for track_id, words in sung.items():
        is_naming = rng.random() < NAMING_SHARE
        yield track_id, replace(words, song=with_names(words.song, rng, KINDS_NAMED)) if is_naming else words


def _copies(sung: Mapping[str, Sung], rng: np.random.Generator) -> Iterator[tuple[str, Sung]]:
    """Yield recordings that sing the song of another one: in their own language, and as explicit as their own."""
    kinds = _drawn({"": 1 - sum(COPY_SHARES.values())} | COPY_SHARES, len(sung), rng)
    originals = [(track_id, sung[track_id]) for track_id, kind in zip(sung, kinds, strict=True) if not kind]
    for (track_id, own), kind in zip(sung.items(), kinds, strict=True):
        fitting = [of for of, original in originals if kind and _can_copy(own, original, kind)]
        if fitting:
            of = str(rng.choice(fitting))
            yield track_id, replace(own, song=sung[of].song, copy=kind, of=of)


def _can_copy(own: Sung, original: Sung, kind: str) -> bool:
    is_translation = own.language != original.language
    return is_translation == (kind == "translation") and own.song.is_explicit == original.song.is_explicit


def _chosen_by_words(
    world: World, state: PlantingState, rows: np.ndarray, sung: Mapping[str, Sung], rng: np.random.Generator
) -> PlantingState:
    """Redraw who plays which of the tracks with lyrics, by the listeners' preferences for themes and languages."""
    tracks = state.catalogue.tracks
    chosen = rows[state.unused[rows] & (tracks.territory[rows] == EVERYWHERE)]
    chosen_songs = [sung[str(track_id)] for track_id in tracks.ids[chosen]]
    likes = [rng.normal(0, 1, (len(state.listeners.ids), len(kinds))) for kinds in (THEMES, LANGUAGES)]
    theme = [THEMES.index(words.song.theme) for words in chosen_songs]
    language = [LANGUAGES.index(words.language) for words in chosen_songs]
    pull = world.words_weight * (likes[0][:, theme] + likes[1][:, language]) / np.sqrt(2)
    track = redrawn_tracks(state, chosen, pull, rng)
    unused = state.unused.copy()
    unused[chosen] = False
    return replace(state, choices=replace(state.choices, track=track), unused=unused)


def delivery(
    sung: Mapping[str, Sung], tracks: pl.DataFrame, sounds: list[Truth], rng: np.random.Generator
) -> tuple[pl.DataFrame, list[Truth]]:
    """
    Return the lyrics with the columns of their file, and the truth about them.

    Args:
        sung: What recordings sing, by track id.
        tracks: The track table; recordings that it lacks have no lyrics.
        sounds: Truths about the recordings' sound, among them covers, remixes and re-uploads.
        rng: Random generator.
    """
    known = set(tracks["track_id"])
    sung = {track_id: words for track_id, words in _with_copies_by_sound(sung, sounds).items() if track_id in known}
    languages = [words.language for words in sung.values()]
    table = pl.DataFrame(
        {
            "track_id": list(sung),
            "text": [words.text(rng) for words in sung.values()],
            "language": [
                _stated(*pair, rng) for pair in zip(languages, _drawn(LANGUAGE_SHARES, len(sung), rng), strict=True)
            ],
            "source": [SOURCE] * len(sung),
            "licence": _drawn(LICENCES, len(sung), rng),
            "training_consent": _drawn(CONSENTS, len(sung), rng),
        },
        schema_overrides={"language": pl.String},
    )
    return table, list(_truths(sung, table, tracks))


def _with_copies_by_sound(sung: Mapping[str, Sung], sounds: list[Truth]) -> dict[str, Sung]:
    """Return what recordings sing, where copies by sound sing what their original sings, if anything."""
    copies = {truth.id: (truth.kind, str(truth.details["of"])) for truth in sounds if "of" in truth.details}
    own = {track_id: words for track_id, words in sung.items() if track_id not in copies}
    merged = own | {
        track_id: replace(sung[of], copy=kind, of=of) for track_id, (kind, of) in copies.items() if of in sung
    }
    return {track_id: words if _is_copy(words, merged) else _as_own(words) for track_id, words in merged.items()}


def _is_copy(words: Sung, sung: Mapping[str, Sung]) -> bool:
    """Return whether the recording that these words are of still sings the same song."""
    return words.of in sung and sung[words.of].song is words.song


def _as_own(words: Sung) -> Sung:
    return replace(words, copy="", of="")


def _stated(language: str, how: str, rng: np.random.Generator) -> str | None:
    if how == "right":
        return language
    return None if how == "missing" else str(rng.choice([other for other in LANGUAGES if other != language]))


def _truths(sung: Mapping[str, Sung], table: pl.DataFrame, tracks: pl.DataFrame) -> Iterator[Truth]:
    delivered = tracks.select("track_id", "explicit", of_track="language")
    rows = table.join(delivered, on="track_id", how="left", maintain_order="left").iter_rows(named=True)
    for row, (track_id, words) in zip(rows, sung.items(), strict=True):
        song = words.song
        description = {"theme": song.theme, "mood": song.mood, "part": song.part, "language": words.language}
        facts = {"explicit": words.is_explicit, "stated": row["language"], "references": song.references}
        yield Truth("lyrics", track_id, None, description | facts)
        if words.copy:
            yield Truth("lyrics_copy", track_id, None, {"of": words.of, "how": words.copy})
        stated = row["language"] or row["of_track"]
        for what, written, right in (
            ("language", stated, words.language),
            ("explicit", row["explicit"], words.is_explicit),
        ):
            if written not in {None, right}:
                yield Truth("lyrics_wrong", track_id, None, {"what": what, "written": written, "right": right})


def _drawn(shares: Mapping[str, float], n: int, rng: np.random.Generator) -> list[str]:
    return [str(value) for value in rng.choice(list(shares), n, p=list(shares.values()))]
