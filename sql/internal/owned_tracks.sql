-- Recordings with an owned work, and whether a party whose name has some words, or whose IPI name number it is, owns a share
-- on a day.
-- params:
--   name_words  words of a name in lower case, without accents, after a blank; the last may be cut short
--   ipi         an IPI name number, or another text
--   day         the day
with parties as (
    select distinct party_key
    from marts.rights_parties
    where
        contains(
            regexp_replace(
                replace(replace(lower(strip_accents(' ' || party_name || ' ')), 'ß', 'ss'), 'ς', 'σ'), '[^\p{L}\p{N}]+', ' ', 'g'
            ),
            $name_words
        )
        or party_key = concat('ipi:', $ipi)
),

owners as (
    select
        work_key,
        party_key
    from marts.work_owners
    where
        kind = 'ownership'
        and share_bp > 0
        and $day between first_day and last_day
)

select
    links.track_id,
    max(case when parties.party_key is not null then 1 else 0 end) = 1 as is_owned
from marts.work_recordings as links
inner join owners on links.work_key = owners.work_key
left join parties on owners.party_key = parties.party_key
group by links.track_id
order by links.track_id asc
