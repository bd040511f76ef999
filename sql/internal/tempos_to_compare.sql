-- Tempos of a recording that are about half or double the tempo that a scan measured, within 4 %; the first source by
-- name, of several. The measured tempo is probably right: its confidence is the estimated probability that it is.
with pairs as (
    select
        others.track_id,
        others.source,
        others.tempo_bpm as stated_bpm,
        own.tempo_bpm as measured_bpm,
        own.tempo_confidence as confidence,
        row_number() over (partition by others.track_id order by others.source asc) as source_no
    from marts.audio_analyses as own
    inner join marts.audio_analyses as others on own.track_id = others.track_id
    inner join marts.track_features as tracks on own.track_id = tracks.track_id
    where
        tracks.is_known
        and own.source = 'recsys'
        and others.source <> 'recsys'
        and own.tempo_confidence > 0.5
        and (
            abs(others.tempo_bpm - 2 * own.tempo_bpm) <= 0.04 * 2 * own.tempo_bpm
            or abs(others.tempo_bpm - 0.5 * own.tempo_bpm) <= 0.04 * 0.5 * own.tempo_bpm
        )
)

select
    track_id,
    source,
    stated_bpm,
    measured_bpm,
    confidence
from pairs
where source_no = 1
order by track_id asc
