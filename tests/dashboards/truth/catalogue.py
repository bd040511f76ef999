"""What pages that a label and an operator share should show: Catalogue, Charts, Search and Discovery."""

from collections import Counter
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from recsys.reports.wording import ISSUES

from .page import Truth, country, language, written
from .rows import Lake

HOUR_MS = 3_600_000
ISRC = r"^[A-Z]{2}[A-Z0-9]{3}[0-9]{7}$"
N_EDITIONS, N_FOUND, N_SIMILAR = 26, 100, 20


class CatalogueTruth:
    """The shared pages of an operator (label '') or of a label."""

    def __init__(self, lake: Lake, label: str = "") -> None:
        self.lake, self.label = lake, label
        self.plays = lake.rows.group_by("track_id").agg(pl.col("n_plays").sum()).filter(pl.col("n_plays") > 0)
        every = lake.tracks.join(self.plays, on="track_id", how="left").with_columns(pl.col("n_plays").fill_null(0))
        self.tracks = every.filter(label_id=label) if label else every

    def artists(self) -> pl.DataFrame:
        """Return id and name of the artists that can be chosen: a label's own, whose recordings no other label has."""
        named = self.lake.artists.drop_nulls()
        if not self.label:
            return named.sort("artist_id")
        known = self.lake.tracks.drop_nulls(["artist_id", "label_id"])
        owners = known.group_by("artist_id").agg(is_own=(pl.col("label_id") == self.label).all())
        return named.join(owners.filter("is_own"), on="artist_id", how="semi").sort("artist_id")

    def analysed(self) -> dict[str, str]:
        """Return the options of recordings whose sound is known, by id."""
        sounds = self.lake.table("audio_features").drop_nulls("tempo_bpm")
        known = self.tracks.drop_nulls("title").join(sounds, on="track_id", how="semi")
        name = pl.concat_str("title", pl.lit(" by "), pl.col("artist_name").fill_null("unknown"))
        names = dict(known.select("track_id", name).iter_rows())
        unique = {key: value for key, value in names.items() if list(names.values()).count(value) == 1}
        return dict(sorted(unique.items()))

    # ----- Catalogue

    @cached_property
    def issues(self) -> pl.DataFrame:
        """Return every problem of every recording: track_id, issue, n_plays."""
        heard = pl.col("n_plays") + pl.col("n_skips") > 0
        first = self.lake.rows.filter(heard).group_by("track_id").agg(first_day=pl.col("day").min())
        tracks = self.lake.tracks.join(first, on="track_id", how="left")
        known = pl.col("is_known")
        tests = {
            "unknown_track": ~known,
            "unknown_artist": known & pl.col("artist_name").is_null(),
            "unknown_label": pl.col("label_id").is_not_null() & pl.col("label_name").is_null(),
            "no_label": known & pl.col("label_id").is_null(),
            "no_release_date": known & pl.col("release_date").is_null(),
            "heard_before_release": pl.col("first_day") < pl.col("release_date"),
            "no_duration": known & pl.col("duration_ms").is_null(),
            "odd_duration": ~pl.col("duration_ms").is_between(10_000, HOUR_MS),
            "no_isrc": known & pl.col("isrc").is_null(),
            "odd_isrc": ~pl.col("isrc").str.contains(ISRC),
            "no_genre": known & pl.col("genres").is_null(),
            "no_language": known & pl.col("language").fill_null("unknown").eq("unknown"),
            "no_explicit": known & pl.col("explicit").is_null(),
            "consent_unknown": known & (pl.col("training_consent") == "unknown"),
            "shared_isrc": known & pl.col("isrc").is_not_null() & pl.col("isrc").is_duplicated(),
            "same_recording": known & pl.col("duration_ms").is_not_null() & _name_of_recording().is_duplicated(),
        }
        found = [tracks.filter(test).select("track_id", issue=pl.lit(name)) for name, test in tests.items()]
        found += self._lyric_conflicts()
        own = self.tracks.select("track_id", "title", "n_plays")
        every = pl.concat(found).join(own, on="track_id")
        return every.filter(~pl.col("issue").is_in(["unknown_track", "heard_before_release"])) if self.label else every

    def _lyric_conflicts(self) -> list[pl.DataFrame]:
        """Return the recordings whose lyrics are in another language than stated, or contradict the flag."""
        flags = self.lake.tracks.select("track_id", "explicit", of_track="language")
        lyrics = self.lake.table("lyrics").join(flags, on="track_id")
        probability = pl.col("explicit_probability")
        tests = {
            "lyrics_differ_in_language": pl.col("detected_language") != pl.coalesce("language", "of_track"),
            "lyrics_differ_in_explicit": (pl.col("explicit") & (probability <= 0.02))
            | (~pl.col("explicit") & (probability >= 0.9)),
        }
        return [lyrics.filter(test).select("track_id", issue=pl.lit(name)) for name, test in tests.items()]

    def catalogue(self, issue_no: int) -> Truth:
        """Return the page Catalogue with the problem at a position of the list."""
        totals = (
            self.issues.group_by("issue")
            .agg(n_tracks=pl.len().cast(pl.Int64), n_plays=pl.col("n_plays").sum())
            .sort("n_tracks", "issue", descending=[True, False])
        )
        issue = totals["issue"][issue_no]
        rows = self.issues.filter(issue=issue).sort("n_plays", "track_id", descending=[True, False])
        named = totals.with_columns(issue=pl.col("issue").replace(ISSUES))
        shown = rows.select("track_id", "n_plays").head(200)
        if self.label:  # most played first, although a label sees no plays
            return Truth(rows={"issues": named.drop("n_plays"), "tracks_with_issue": shown.drop("n_plays", "track_id")})
        return Truth(rows={"issues": named, "tracks_with_issue": shown})

    def facts(self, track: str) -> Truth:
        """Return the metadata of the page Track."""
        names = ("tempo_bpm", "beats_per_bar", "mode", "key", "energy", "danceability", "loudness_lufs")
        sounds = self.lake.table("audio_features").select("track_id", *names)
        facts = self.tracks.filter(track_id=track).join(sounds, on="track_id", how="left")
        (row,) = facts.to_dicts()
        where = row["available_in"] and [country(code) for code in row["available_in"]]
        spoken = language(row["language"] or "unknown")
        return Truth(rows={"track_facts": facts.with_columns(language=pl.lit(spoken), available_in=pl.lit(where))})

    # ----- Charts

    @cached_property
    def editions(self) -> pl.DataFrame:
        """Return each song's positions, with the chart's week number, the song and the recording that it is."""
        charts = self.lake.table("charts").sort("chart_date", "rank")
        return charts.with_columns(
            song_id=song_of(),
            week_no=pl.col("chart_date").rank("dense").cast(pl.Int64),
        )

    def charts(self, week: date, shown: dict[str, pl.DataFrame]) -> Truth:
        """Return the page Charts for an edition, and the positions of the songs that are named as candidates."""
        edition = self._edition(week)
        last = self._edition(self.editions["chart_date"].max())  # type: ignore[arg-type]
        rows = {"chart": edition, "paths": self._paths(week)}
        own = edition.filter("is_own").head(3)
        sentences = [_position(row) for row in own.iter_rows(named=True)]
        if "candidates" in shown:
            songs = shown["candidates"].select("song_id")
            positions = songs.join(last, on="song_id", how="left", maintain_order="left")
            rows |= dict.fromkeys(("candidates", "candidates_table"), positions)
        return Truth(rows=rows, sentences=sentences, texts=[f"{edition['chart'][0]}, {written(week)}"])

    def _edition(self, week: date) -> pl.DataFrame:
        """Return the songs of an edition by rank, with their history up to it."""
        every = self.editions.filter(pl.col("chart_date") <= week)
        no = every["week_no"].max()
        history = every.group_by("song_id").agg(
            peak_rank=pl.col("rank").min(),
            n_weeks=pl.len().cast(pl.Int64),
            entry_rank=pl.col("rank").sort_by("week_no").first(),
            first_no=pl.col("week_no").min(),
        )
        before = every.filter(pl.col("week_no") + 1 == no).select("song_id", rank_before="rank")
        edition = every.filter(week_no=no).join(history, on="song_id").join(before, on="song_id", how="left")
        moves = pl.struct("rank", "rank_before", "n_weeks", "week_no").map_elements(_moved, return_dtype=pl.String)
        return (
            edition.sort("rank")
            .with_columns(
                is_own=self._is_own(),
                moved=moves,
                entry_rank=pl.when(pl.col("first_no") > 1).then(pl.col("entry_rank")),
            )
            .drop("track_id")
        )

    def _is_own(self) -> pl.Expr:
        """Return whether a song is a recording of the catalogue: by its id, its ISRC, or its title and artist."""
        known = self.tracks.filter("is_known")
        songs = known.select("title", artist="artist_name").drop_nulls().select(song_id=song_of())
        keys = {"track_id": known["track_id"], "isrc": known["isrc"].drop_nulls(), "song_id": songs["song_id"]}
        tests = [pl.col(key).is_in(values.implode()).fill_null(value=False) for key, values in keys.items()]
        return pl.any_horizontal(*tests)

    def _paths(self, week: date) -> pl.DataFrame:
        """Return the positions of the first four songs in the last editions; null where one does not list the song."""
        every = self.editions.filter(pl.col("chart_date") <= week)
        dates = every["chart_date"].unique().sort()[-N_EDITIONS:]
        listed = every.filter(pl.col("chart_date").is_in(dates.implode()))
        rows = []
        for song in listed.filter(chart_date=week).sort("rank")["song_id"][:4]:
            ranks = dict(listed.filter(song_id=song).select("chart_date", "rank").iter_rows())
            spanned = [day for day in dates if min(ranks) <= day <= max(ranks)]
            rows += [{"chart_date": day, "rank": ranks.get(day), "song_id": song} for day in spanned]
        return pl.DataFrame(rows)

    # ----- Search and Discovery

    def search(self, words: str) -> Truth:
        """Return the page Search."""
        artists, of_artists = self.artists(), self._plays_of_artists()
        tracks = self.tracks.filter(pl.col("title").is_not_null()).select(
            "n_plays", "release_date", name="title", artist="artist_name", id="track_id", kind=pl.lit("track")
        )
        people = artists.join(of_artists, on="artist_id", how="left").select(
            pl.col("n_plays").fill_null(0),
            name="artist_name",
            artist="artist_name",
            id="artist_id",
            kind=pl.lit("artist"),
        )
        labels = dict(self.lake.tracks.select("track_id", "label_name").drop_nulls().iter_rows())
        every = pl.concat([tracks, people], how="diagonal").filter(pl.col("name").is_not_null())
        label = pl.col("id").replace_strict(labels, default="")
        text = pl.concat_str("id", "name", "artist", label, separator=" ", ignore_nulls=True).str.to_lowercase()
        has_word = [text.str.contains(word, literal=True) for word in words.lower().split()]
        found = every.filter(*has_word)
        order = ("name", "kind", "id") if self.label else ("n_plays", "kind", "id")
        ordered = found.sort(order, descending=[not self.label, False, False], nulls_last=True).head(N_FOUND)
        columns = ("kind", "name", "artist", "release_date", "id") + (() if self.label else ("n_plays",))
        suffix = " by name" if self.label else ", most played first"
        return Truth(rows={"search": ordered.select(columns)}, texts=[f"{found.height:,} results{suffix}"])

    def _plays_of_artists(self) -> pl.DataFrame:
        return self.tracks.group_by("artist_id").agg(pl.col("n_plays").sum())

    def discovery(self, track: str) -> Truth:
        """Return the page Discovery: the 20 recordings that sound most similar, of different releases."""
        vectors = self.lake.table("audio_vectors")
        matrix = np.array(vectors["vector"].to_list(), dtype=np.float64)
        unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)
        similarity = unit @ unit[vectors["track_id"].to_list().index(track)]
        features = self.lake.table("audio_features").select("track_id", "tempo_bpm", "beats_per_bar", "energy", "mode")
        rows = vectors.select("track_id", similarity=pl.Series(similarity)).join(features, on="track_id")
        known = rows.join(self.tracks, on="track_id").filter(
            pl.col("track_id") != track, pl.col("tempo_bpm").is_between(40, 220)
        )
        chosen, artists, releases = list[dict[str, Any]](), Counter[str](), Counter[tuple[str, str]]()
        for row in known.sort("similarity", descending=True).iter_rows(named=True):
            artist, release = row["artist_id"], (row["artist_id"], row["release_title"])
            if len(chosen) < N_SIMILAR and artists[artist] < 2 and not releases[release]:
                chosen.append({**row, "rank": len(chosen) + 1})
                artists[artist], releases[release] = artists[artist] + 1, 1
        if not chosen:
            return Truth()
        columns = ("rank", "title", "artist_name", "similarity", "tempo_bpm", "beats_per_bar", "energy", "mode")
        return Truth(rows={"similar": pl.DataFrame(chosen, infer_schema_length=None).select(columns)})


def _position(row: dict[str, Any]) -> str:
    """Write what the page says of a song of the edition."""
    fixed = {None: "in the chart's first week on record", "new": "new on the chart", "back": "back on the chart"}
    move = fixed.get(row["moved"]) or ("unchanged from last week" if row["moved"] == "=" else "")
    move = move or f"{'up' if row['rank'] < row['rank_before'] else 'down'} from {row['rank_before']}"
    text = f"is at number {row['rank']}, {move}; peak position so far {row['peak_rank']}."
    return f"{row['title']} by {row['artist']} {text}"


def _moved(row: dict[str, int | None]) -> str | None:
    rank, before = row["rank"], row["rank_before"]
    if rank is None or before is None:
        return None if row["week_no"] == 1 else "new" if row["n_weeks"] == 1 else "back"
    return "=" if rank == before else f"{before - rank:+d}"


def song_of() -> pl.Expr:
    """Name a song by its title and the first artist of its credit, in lower case."""
    title, artist = (
        pl.col(name).str.to_lowercase().str.replace_many({"\u2019": "'", "ß": "ss", "\u03c2": "\u03c3"})
        for name in ("title", "artist")
    )
    return pl.concat_str(title, artist.str.replace(r"( featuring | & |, | x | with | duet ).*", ""), separator=" / ")


def _name_of_recording() -> pl.Expr:
    seconds = (pl.col("duration_ms") / 1_000).round().cast(pl.Int64)
    return pl.struct("artist_id", pl.col("title").str.strip_chars().str.to_lowercase(), seconds)
