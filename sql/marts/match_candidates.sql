-- Uses of the catalogue's recordings that matching found: in uploads, and in later recordings of the catalogue itself. That
-- two recordings sound alike does not say that a right was infringed.
-- grain: source_audio_id, audio_id, starts_s
-- rows: 0
-- columns:
--   source_kind         upload or catalogue
--   source_file         the upload, as seen from the folder of uploads, null for a recording of the catalogue
--   source_track_id     the recording of the catalogue that uses the other, null for an upload
--   source_audio_id     hash of the bytes of what was looked through
--   audio_id            hash of the bytes of the recording that is used
--   track_id            that recording, null where the catalogue has it no more; of several with these bytes the first
--   starts_s            from when in the source [s]
--   ends_s              to when in the source [s]
--   reference_starts_s  from when in the recording, the earliest place where it repeats itself [s]
--   reference_ends_s    to when in the recording [s]
--   share_of_reference  share of the recording that is used, 0..1, null where its length is not known
--   share_of_source     share of the source that it is, 0..1, null where its length is not known
--   relation            same (90 % of both are the same), contained, or part
--   tempo_ratio         how much faster than the recording it is
--   pitch_semitones     how much higher than the recording it is, null where that was not measured
--   probability         how sure it is, 0..1
--   is_strict           whether it passes the cut that .1 % of strange queries pass, else that of 1 %
--   n_places            places of the recording that fit as well [count]
--   found_on            the day for which the night that found it made lists
-- checks:
--   starts_s < ends_s
--   probability between 0 and 1
--   source_audio_id <> audio_id or source_kind = 'upload'
-- reconcile:
--   (select count(*) from marts.match_candidates) = (select count(*) from raw.match_candidates)
with owners as (
    select
        audio_id,
        min(track_id) as track_id,
        max(duration_ms) / 1000.0 as duration_s
    from marts.track_audio
    where audio_id is not null
    group by audio_id
),

lengths as (
    select
        source_audio_id,
        max(source_duration_s) as duration_s
    from raw.match_checks
    group by source_audio_id
),

shares as (
    select
        uses.source_kind,
        uses.source_file,
        uses.source_audio_id,
        uses.audio_id,
        uses.starts_s,
        uses.ends_s,
        uses.reference_starts_s,
        uses.reference_ends_s,
        uses.tempo_ratio,
        uses.pitch_semitones,
        uses.probability,
        uses.is_strict,
        uses.n_places,
        uses.found_on,
        owners.track_id,
        sources.track_id as source_track_id,
        least(1.0, (uses.reference_ends_s - uses.reference_starts_s) / nullif(owners.duration_s, 0)) as share_of_reference,
        least(1.0, (uses.ends_s - uses.starts_s) / nullif(lengths.duration_s, 0)) as share_of_source
    from raw.match_candidates as uses
    left join owners on uses.audio_id = owners.audio_id
    left join owners as sources on uses.source_audio_id = sources.audio_id and uses.source_kind = 'catalogue'
    left join lengths on uses.source_audio_id = lengths.source_audio_id
)

select
    source_kind,
    source_file,
    source_track_id,
    source_audio_id,
    audio_id,
    track_id,
    starts_s,
    ends_s,
    reference_starts_s,
    reference_ends_s,
    share_of_reference,
    share_of_source,
    case
        when share_of_reference >= 0.9 and share_of_source >= 0.9 then 'same'
        when share_of_reference >= 0.9 or share_of_source >= 0.9 then 'contained'
        else 'part'
    end as relation,
    tempo_ratio,
    pitch_semitones,
    probability,
    is_strict,
    n_places,
    found_on
from shares
