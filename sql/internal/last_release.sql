-- Last day of the logs in a published warehouse, and the number of listeners with a list.
select
    build.as_of,
    (select count(distinct lists.user_id) from marts.recommendations as lists) as n_listeners
from meta.build as build
