"""
Divide amounts of money in whole units, so that the parts always add up: the method of the largest remainder.

Each part gets its exact share rounded down; the units that are left go one by one to the parts with the largest
remainders, and of equal ones to the first by its ids. So the result does not depend on the order of rows, nor on
floating-point numbers: products are integers of 128 bits.

Source: Hamilton's method of apportionment; Balinski and Young, Fair Representation (1982).
"""

from collections.abc import Sequence

import polars as pl

_WIDE = pl.Int128()


def apportion(
    rows: pl.DataFrame, ids: Sequence[str], *, within: Sequence[str] = (), into: str = "amount"
) -> pl.DataFrame:
    """
    Divide the amount of each group over its rows in proportion to their weights.

    Args:
        rows: The columns `ids` and `within`, `total` (the amount of the row's group, the same in all its rows, >= 0)
            and `weight` (integer >= 0, with a sum below 2^63). A group whose weights are all 0 is divided evenly.
        ids: Columns that identify a row of a group.
        within: Columns of a group; without any, all rows are one group.
        into: Name of the resulting column.

    Returns:
        The rows sorted by `within` and `ids`, without `total` and `weight`, and their amounts (int64), which add up to
        the total of each group.
    """
    parts = rows.sort(*within, *ids).with_row_index("_row")
    is_first = pl.any_horizontal(pl.lit(False), *(pl.col(name).ne_missing(pl.col(name).shift()) for name in within))
    parts = parts.with_columns(_group=is_first.cum_sum())  # numbers are grouped faster than ids
    weight = pl.when(pl.col("weight").sum().over("_group") > 0).then(pl.col("weight")).otherwise(1).cast(pl.Int64)
    parts = parts.with_columns(_weight=weight).with_columns(_all=pl.col("_weight").sum().over("_group"))
    product = pl.col("total").cast(_WIDE) * pl.col("_weight")
    exact = {"_floor": product // pl.col("_all"), "_rest": product % pl.col("_all")}
    parts = parts.with_columns(part.cast(pl.Int64).alias(name) for name, part in exact.items())
    left = (pl.col("total") - pl.col("_floor").sum().over("_group")).alias("_left")
    ranked = parts.select("_row", "_group", "_rest", left).filter(pl.col("_left") > 0)
    ranked = ranked.sort("_group", "_rest", "_row", descending=[False, True, False])
    gets_one = ranked.filter(pl.int_range(pl.len()).over("_group") < pl.col("_left"))["_row"]
    named = [name for name in rows.columns if name not in {"total", "weight"}]
    one_more = pl.col("_row").is_in(gets_one.implode()).cast(pl.Int64)
    return parts.select(*named, (pl.col("_floor") + one_more).alias(into))
