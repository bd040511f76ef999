-- Most played recordings of a label in the last 28 days.
-- params:
--   label  label id, every label where empty
--   n      recordings at most [count]
with last_day as (
    select max(listen_date) as day from marts.track_daily
),

own as (
    select
        track_id,
        title,
        artist_name
    from marts.track_features
    where $label = '' or label_id = $label
)

select
    own.track_id,
    own.title,
    own.artist_name,
    sum(daily.n_plays)::bigint as n_plays
from marts.track_daily as daily
cross join last_day
inner join own on daily.track_id = own.track_id
where daily.listen_date > last_day.day - 28
group by own.track_id, own.title, own.artist_name
having sum(daily.n_plays) > 0
order by n_plays desc, own.track_id asc
limit $n::integer
