"""Which embeddings of a file can be searched together: one encoder, one length, a direction."""

import polars as pl

_SHORTEST = 1e-15  # the square of a smaller component vanishes in float32


def vector_reasons(rows: pl.DataFrame, lengths: dict[str, int]) -> pl.DataFrame:
    """
    Find the vectors that cannot be compared with the others of their encoder.

    Args:
        rows: Accepted rows of `audio_vectors` of one file.
        lengths: Length of the stored vectors of each encoder [components].

    Returns:
        The rows with `reason`: null, or why the vector is refused (`REASONS`); and `column_name`. Encoder and length of
        a file are its most frequent ones; the length of an encoder that is stored is that of its stored vectors.
    """
    if rows.is_empty():
        return rows.with_columns(reason=pl.lit(None, dtype=pl.String), column_name=pl.lit(None, dtype=pl.String))
    size, own = pl.col("vector").list.len(), rows.select(pl.col("encoder").mode().sort().first()).item()
    usual = lengths.get(own) or rows.filter(encoder=own).select(size.mode().sort(descending=True).first()).item()
    is_zero = pl.col("vector").list.eval(pl.element().abs()).list.max() < _SHORTEST
    reason = (
        pl.when(pl.col("encoder") != own)
        .then(pl.lit("other_encoder"))
        .when(size != usual)
        .then(pl.lit("other_length"))
        .when(is_zero)
        .then(pl.lit("out_of_range"))
    )
    named = pl.when(pl.col("encoder") != own).then(pl.lit("encoder")).when(reason.is_not_null()).then(pl.lit("vector"))
    return rows.with_columns(reason=reason, column_name=named)
