"""
What is wrong between the tables of a split folder: ids spelled in two ways, a test inside the training parts, weights.

A check raises InputError if a comparison on the split would say nothing; otherwise it returns a warning in words, or
''. Used by `split_folder`.
"""

from collections.abc import Iterable, Iterator

import polars as pl

from recsys.errors import InputError

MANY = 0.5  # share of the test's pairs in the training parts, from which on a warning is given
AROUND = " \t\r\n\u00a0\ufeff\"'`"  # spaces and quotes
WHOLE = r"^\+?\d+(\.0*)?$|^\d(\.\d+)?[eE]\+\d+$"  # an exponent needs a sign: 1e5 may be a hash
_PAIR = ["user_id", "track_id"]


def refuse_other_spellings(file: str, kind: str, ids: pl.Series, known: pl.Series) -> None:
    """
    Raise InputError if unknown ids would be known without spaces and quotes around them, or as plain whole numbers.

    Args:
        file: The file of the ids, for the message.
        kind: 'user' or 'item', for the message.
        ids: Ids of the file, text.
        known: Ids of the training parts, text.
    """
    training = known.unique()
    unknown = pl.DataFrame({"id": ids.unique()}).join(pl.DataFrame({"id": training}), on="id", how="anti")["id"]
    n_matching = int(plain(unknown).is_in(plain(training).implode()).sum())
    if n_matching:
        raise InputError(
            f"{file}: {n_matching:,} {kind} ids are among those of the training rows only without spaces or quotes "
            "around them, or with numbers rewritten (1.0, 01 or 1e+00 as 1); expected ids that are spelled the same in "
            "all files. Write them again"
        )


def plain(ids: pl.Series) -> pl.Series:
    """
    Return ids without spaces and quotes around them, and whole numbers without sign, leading zeros, point or exponent.

    >>> plain(pl.Series([' "7"', "007", "7.0", "7e+00", "7a", "1e5"])).to_list()
    ['7', '7', '7', '7', '7a', '1e5']
    """
    text = pl.DataFrame({"id": ids}).select(pl.col("id").str.strip_chars(AROUND))
    whole = pl.col("id").cast(pl.Float64, strict=False)
    is_whole = pl.col("id").str.contains(WHOLE) & (whole < 2.0**53) & (whole == whole.floor())
    rewritten = whole.cast(pl.Int64, strict=False).cast(pl.String)
    return text.select(pl.when(is_whole).then(rewritten).otherwise("id").alias("id")).to_series()


def without_evidence(file: str, part: pl.DataFrame) -> str:
    """Return a warning if some weights are at most 0; raises InputError if all are."""
    n_unliked = int((part["strength"] <= 0).sum())
    if n_unliked == len(part):
        raise InputError(
            f"{file}: no weight is above 0, so that no row says what a listener likes; expected some. Correct the "
            "column weight, or remove it: then each row counts 1"
        )
    return f"{file}: {_of(n_unliked, len(part))} rows have a weight of at most 0: seen, but not liked" * (n_unliked > 0)


def inside_training(
    file: str, test: pl.DataFrame, training: Iterable[pl.DataFrame], hidden: Iterable[pl.DataFrame]
) -> Iterator[str]:
    """
    Yield a warning if many pairs of the test are in the training parts as well.

    Args:
        file: The file of the test.
        test: user_id, track_id of its liked rows.
        training: user_id, track_id of the training parts.
        hidden: Those of them whose pairs lists leave out.

    Raises:
        InputError: Lists leave out all pairs of the test.
    """
    pairs = test.unique(_PAIR)
    is_hidden, is_trained = (_is_in(pairs, parts) for parts in (hidden, training))
    if is_hidden.all():
        raise InputError(
            f"{file}: all {len(pairs):,} pairs of listener and item are in the training files as well, and lists leave "
            "out what a listener has seen; expected a test that no model was fitted to. Remove its rows from the "
            "training files, or, if listeners are to hear items again, use --exclude-seen none"
        )
    effects = {"they are left out": is_hidden, "models were fitted to them, and lists may contain them": ~is_hidden}
    for effect, is_affected in effects.items():
        n_inside = int((is_trained & is_affected).sum())
        if n_inside >= MANY * len(pairs):
            yield f"{file}: {_of(n_inside, len(pairs))} pairs are in the training files as well: {effect}"


def unknown_ids(file: str, kind: str, ids: pl.Series, known: pl.Series) -> str:
    """
    Return a warning if many ids of the test are in no training part; raises InputError if no user is.

    Args:
        file: The file of the test.
        kind: 'user' or 'item'.
        ids: Ids of the file's liked rows, text.
        known: Ids of the training parts, text.
    """
    listed = ids.unique()
    n_unknown = int((~listed.is_in(known.unique().implode())).sum())
    doubt = f"{file}: {_of(n_unknown, len(listed))} {kind} ids are in no training file"
    if n_unknown == len(listed) and kind == "user":
        raise InputError(f"{doubt}, so that no listener can be evaluated; expected the same ids. Correct the files")
    return f"{doubt}; if they should be, they may be written in another way" * (n_unknown >= MANY * len(listed))


def _is_in(pairs: pl.DataFrame, parts: Iterable[pl.DataFrame]) -> pl.Series:
    """Return whether each pair is in one of the parts."""
    known = pl.concat([pairs.clear().select(_PAIR), *(part.select(_PAIR) for part in parts)]).unique()
    marked = pairs.join(known.with_columns(is_in=pl.lit(value=True)), on=_PAIR, how="left", maintain_order="left")
    return marked["is_in"].fill_null(value=False)


def _of(n: int, n_all: int) -> str:
    return f"all {n:,}" if n == n_all else f"{n:,} of {n_all:,}"
