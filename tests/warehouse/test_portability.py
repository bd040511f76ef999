"""SQL that means different things on DuckDB and Spark is refused."""

import pytest

from recsys.errors import BadSqlFile
from recsys.warehouse.portability import refuse_unportable
from recsys.warehouse.sqlfile import SqlFile, read_layers

TRAPS = {
    "select * from raw.t": r"select \*",
    "select t.* from raw.t as t": r"select \*",
    "from raw.t": r"select \*",
    "select a from raw.t pivot (sum(x) for y in (1, 2))": "pivot",
    "pivot raw.t on y using sum(x)": "pivot",
    "unpivot raw.t on a, b into name n value v": "pivot",
    "select unnest(genres) as genre from raw.t": "unnest",
    "select u from raw.t, unnest(genres) as x(u)": "unnest",
    "select t.a from raw.t as t asof join raw.u as u on t.a = u.a and t.b >= u.b": "ASOF",
    "select t.a from raw.t as t positional join raw.u as u": "POSITIONAL",
    "select date_diff('day', a, b) as d from raw.t": "date_diff",
    "select datediff('minute', a, b) as d from raw.t": "date_diff",
    "select a // 2 as half from raw.t": "//",
    "select hash(a) as h from raw.t": r"hash\(\)",
    "select quantile_cont(a, 0.5) as m from raw.t": r"percentile_cont\(\)",
    "select strftime(a, '%Y') as y from raw.t": "function",
    "select list_transform(a, x -> x + 1) as b from raw.t": "function",
    "select a from read_parquet('x.parquet')": "function",
    "select current_date as today": "function",
    "select random() as r from raw.t": "function",
    "select a from raw.t where b = $b": "parameter",
    "select a from raw.t where b = ?": "parameter",
    "select a from raw.t qualify row_number() over (partition by a order by b) = 1": "qualify",
    "select a from raw.t using sample 10": "sample",
    "select cast(a as decimal(10, 2)) as b from raw.t": "decimal",
    "select a at time zone 'UTC' as b from raw.t": "at time zone",
    "select split_part(a, '-', 0) as b from raw.t": "part 0 of split_part",
    "insert into raw.t values (1)": "one SELECT and nothing else",
    "summarize raw.t": "one SELECT and nothing else",
    "select 1 as a; select 2 as b": "one SELECT",
}


@pytest.mark.parametrize(("query", "message"), TRAPS.items())
def test_a_trap_is_refused_with_its_name(query: str, message: str) -> None:
    """The message names the file and the alternative."""
    with pytest.raises(BadSqlFile, match=message) as refusal:
        refuse_unportable(SqlFile("marts.x", "A table.", query))

    assert "marts.x" in str(refusal.value)


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) as n from raw.t",
        "select median(a) as m from raw.t",
        "select a / b as share from raw.t",
        "select split_part(replace(a, 'x', 'y'), ' & ', 1) as first_part from raw.t",
        "select genres[1] as genre from raw.t",
        "select a, row_number() over (partition by a order by b desc) as no from raw.t",
        "select cast(floor(year(day) / 10) * 10 as bigint) as decade from raw.t",
        "select a from raw.t union all select a from raw.u",
        "with steps as (select a from raw.t) select coalesce(max(a), 0) as a from steps",
    ],
)
def test_plain_sql_passes(query: str) -> None:
    """Portable SQL is accepted."""
    refuse_unportable(SqlFile("marts.x", "A table.", query))


@pytest.mark.parametrize("name", sorted(read_layers()))
def test_every_table_of_ours_passes(name: str) -> None:
    """Every file in staging, intermediate and marts is portable."""
    refuse_unportable(read_layers()[name])
