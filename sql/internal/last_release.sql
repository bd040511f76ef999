-- The date of a published file, and how many listeners have a list in it.
select
    build.as_of,
    (select count(distinct lists.user_id) from marts.recommendations as lists) as n_listeners
from meta.build as build
