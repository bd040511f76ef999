"""Which embeddings of a file can be searched together: one encoder, one length, a direction."""

import polars as pl

from recsys.lake.contract import Contract
from recsys.lake.store import Lake

_SHORTEST = 1e-15  # the square of a smaller component vanishes in float32


def comparable(lake: Lake, contract: Contract, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Separate embeddings that cannot be searched together with the others, with `reason` and `column_name`."""
    if contract.table != "audio_vectors":
        return rows, rows.clear().with_columns(reason=pl.lit(""), column_name=pl.lit(""))
    sizes = lake.rows(contract.table).select("encoder", size=pl.col("vector").list.len())
    usual = sizes.group_by("encoder").agg(pl.col("size").mode().sort().last()).collect()
    checked = vector_reasons(rows, dict(usual.iter_rows()))
    is_good = pl.col("reason").is_null()
    return checked.filter(is_good).drop("reason", "column_name"), checked.filter(~is_good)


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
