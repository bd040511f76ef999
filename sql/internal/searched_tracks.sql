-- Recordings that can be searched for on a day: known and not withdrawn; with all names in lower case and without accents,
-- and the confidence that the sound has no voice, or one.
-- params:
--   as_of  last day of the data
with voices as (
    select
        track_id,
        max(case when tag in ('instrumental', 'no vocal', 'no vocals', 'no voice') then confidence else 0 end) as without_voice,
        max(case when tag in ('instrumental', 'no vocal', 'no vocals', 'no voice') then 0 else confidence end) as with_voice
    from marts.track_tags
    where kind = 'vocal'
    group by track_id
)

select
    tracks.track_id,
    coalesce(links.same_as, tracks.track_id) as recording_id,
    tracks.title,
    tracks.artist_id,
    tracks.artist_name,
    tracks.artist_country,
    tracks.label_id,
    tracks.label_name,
    tracks.label_type,
    tracks.release_title,
    tracks.release_date,
    tracks.duration_ms,
    tracks.isrc,
    tracks.genres,
    tracks.language,
    tracks.explicit,
    tracks.available_in,
    tracks.tempo_bpm,
    tracks.key,
    tracks.mode,
    tracks.energy,
    tracks.danceability,
    tracks.loudness_lufs,
    voices.without_voice,
    voices.with_voice,
    replace(
        lower(
            strip_accents(
                concat_ws(
                    ' ', tracks.title, tracks.artist_name, tracks.release_title, tracks.label_name, tracks.track_id, tracks.isrc
                )
            )
        ),
        'ß',
        'ss'
    ) as names
from marts.track_features as tracks
left join voices on tracks.track_id = voices.track_id
left join marts.duplicate_links as links on tracks.track_id = links.track_id
where tracks.is_known and (tracks.withdrawn_at is null or tracks.withdrawn_at > $as_of)
order by tracks.track_id asc
