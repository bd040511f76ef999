-- Countries in which an artist or a label is played, most plays first, compared with all plays of the same days (see
-- marts.markets).
-- params:
--   id     artist id or label id
--   owner  artist or label = artist
select
    country,
    n_plays,
    n_listeners,
    play_share,
    home_share,
    ratio,
    low,
    high
from marts.markets
where owner = $owner and owner_id = $id
order by n_plays desc, country asc
