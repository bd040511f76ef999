-- What the sound says about a voice, of recordings whose language is stated. Learned tags have a calibrated probability;
-- where there is none, the highest confidence of the pretrained taggers for a voice, and for none, which rank recordings
-- and are no probabilities.
with voices as (
    select
        track_id,
        tag in ('instrumental', 'no vocal', 'no vocals', 'no voice') as is_without,
        confidence,
        probability
    from marts.track_tags
    where kind = 'vocal'
),

heard as (
    select
        track_id,
        max(case when not is_without then confidence else 0 end) as with_voice,
        max(case when is_without then confidence else 0 end) as without_voice,
        max(case when not is_without then probability end) as p_with_voice,
        max(case when is_without then probability end) as p_without_voice
    from voices
    group by track_id
)

select
    heard.track_id,
    tracks.language,
    heard.with_voice,
    heard.without_voice,
    heard.p_with_voice,
    heard.p_without_voice
from heard
inner join marts.track_features as tracks on heard.track_id = tracks.track_id
where tracks.is_known and tracks.language <> 'unknown'
order by heard.track_id asc
