"""
Metadata of a recording that its sound contradicts: genre, tempo and language, for a person to review.

Each doubt is about one recording, and states what was delivered, what the sound says and how sure that is. Nothing is
changed by a doubt. The kinds of doubts are also the kinds of findings (`recsys.cleaning.findings`).
"""

from typing import Any

import polars as pl

WRONG_GENRE, WRONG_TEMPO, WRONG_LANGUAGE = "wrong_genre", "wrong_tempo", "wrong_language"
DOUBT_KINDS = (WRONG_GENRE, WRONG_TEMPO, WRONG_LANGUAGE)
NO_LYRICS = "zxx"  # ISO 639: no linguistic content
MIN_PROBABILITY = 0.5  # of a learned tag, to contradict a language
MIN_CONFIDENCE = 0.2  # of a pretrained tag, to contradict a language: few real recordings reach it for any vocal tag
MIN_SHARE = 0.8  # of that confidence, in the sum of the confidences for and against a voice
DOUBTS = pl.Schema(
    {
        "kind": pl.String(),
        "track_id": pl.String(),
        "evidence": pl.String(),
        "detail": pl.String(),
        "score": pl.Float64(),
    }
)


def doubted(
    tracks: pl.DataFrame, label_doubts: pl.DataFrame, tempos: pl.DataFrame, voices: pl.DataFrame
) -> pl.DataFrame:
    """
    List all doubts of a catalogue.

    Args:
        tracks: track_id, genre (the main one, as delivered now).
        label_doubts: See `wrong_genres`.
        tempos: See `wrong_tempos`.
        voices: See `wrong_languages`.

    Returns:
        DOUBTS, at most one row per kind and recording; score is how sure it is, 0..1.
    """
    return pl.concat([wrong_genres(tracks, label_doubts), wrong_tempos(tempos), wrong_languages(voices)])


def wrong_genres(tracks: pl.DataFrame, label_doubts: pl.DataFrame) -> pl.DataFrame:
    """
    List genres that a head doubts.

    Args:
        tracks: track_id, genre (as delivered now).
        label_doubts: track_id, tag, suggested, probability, given_probability (see `recsys.tags.doubts`). A genre that
            has changed since then is doubted no more.

    Returns:
        DOUBTS; score is the probability of the suggested genre.
    """
    delivered = tracks.select("track_id", tag=pl.col("genre").str.to_lowercase())
    current = label_doubts.join(delivered, on=["track_id", "tag"], how="semi", maintain_order="left")
    return _doubts(
        (
            WRONG_GENRE,
            row["track_id"],
            "learned genres",
            "delivered as {tag} ({given_probability:.2f}), probably {suggested} ({probability:.2f})".format(**row),
            row["probability"],
        )
        for row in current.iter_rows(named=True)
    )


def wrong_tempos(tempos: pl.DataFrame) -> pl.DataFrame:
    """
    List delivered tempos that are half or double the measured one.

    Args:
        tempos: track_id, source, stated_bpm, measured_bpm, confidence (see sql/internal/tempos_to_compare.sql).

    Returns:
        DOUBTS; score is the estimated probability that the measured tempo is right within 4 %.
    """
    return _doubts(
        (
            WRONG_TEMPO,
            row["track_id"],
            "measured tempo",
            f"{row['stated_bpm']:.1f} per minute by {row['source']}, measured {row['measured_bpm']:.1f}",
            row["confidence"],
        )
        for row in tempos.iter_rows(named=True)
    )


def wrong_languages(voices: pl.DataFrame) -> pl.DataFrame:
    """
    List recordings that are delivered as without lyrics although they have a voice, or with a language and have none.

    Args:
        voices: track_id, language, with_voice, without_voice (confidences), p_with_voice, p_without_voice
            (probabilities, null where unknown); see sql/internal/voices_to_compare.sql.

    Returns:
        DOUBTS; score is the probability of a learned tag or, where no learned tag says anything, the confidence's share
        in the sum of the confidences for and against a voice.
    """
    return _doubts(found for row in voices.iter_rows(named=True) if (found := _wrong_language(row)) is not None)


def _wrong_language(row: dict[str, Any]) -> tuple[str, str, str, str, float] | None:
    is_stated = row["language"] != NO_LYRICS
    this, other = ("without_voice", "with_voice") if is_stated else ("with_voice", "without_voice")
    stated = f"delivered with the language {row['language']}" if is_stated else "delivered as without lyrics"
    heard = f"the sound has {'no' if is_stated else 'a'} voice"
    if row[f"p_{this}"] is not None or row[f"p_{other}"] is not None:
        score, against = row[f"p_{this}"] or 0.0, row[f"p_{other}"] or 0.0
        is_clear, evidence = score >= MIN_PROBABILITY and score > against, "learned tags"
    else:
        total = row[this] + row[other]
        score = row[this] / total if total else 0.0
        is_clear, evidence = row[this] >= MIN_CONFIDENCE and score >= MIN_SHARE, "tags"
    if not is_clear:
        return None
    return WRONG_LANGUAGE, row["track_id"], evidence, f"{stated}, {heard} ({score:.2f})", round(score, 4)


def _doubts(rows: Any) -> pl.DataFrame:
    return pl.DataFrame(list(rows), DOUBTS, orient="row")
