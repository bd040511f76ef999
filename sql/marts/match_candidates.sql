-- Uses of the catalogue's recordings that matching found in uploads and in later recordings of the catalogue. A match
-- says that two recordings share audio, not that a right was infringed.
-- grain: source_audio_id, audio_id, starts_s
-- rows: 0
-- columns:
--   source_kind         upload or catalogue
--   source_file         path of the upload in the folder of uploads, null for a recording of the catalogue
--   source_track_id     recording of the catalogue that uses the other, null for an upload
--   source_audio_id     hash of the source's bytes
--   audio_id            hash of the bytes of the recording that is used
--   track_id            recording that is used, null where no longer in the catalogue; the first by id where several share these bytes
--   starts_s            start of the use in the source [s]
--   ends_s              end of the use in the source [s]
--   reference_starts_s  start of the used part in the recording, the earliest where it repeats [s]
--   reference_ends_s    end of the used part in the recording [s]
--   share_of_reference  share of the recording that is used, 0..1, null where its length is unknown
--   share_of_source     share of the source that the use covers, 0..1, null where its length is unknown
--   relation            same (at least 90 % of both), contained (at least 90 % of one) or part
--   tempo_ratio         tempo of the use / tempo of the recording [x]
--   pitch_semitones     pitch of the use above the recording, null where not measured [semitones]
--   probability         match probability, 0..1
--   is_strict           whether it passes the threshold of 0.1 % false positives, else that of 1 %
--   n_places            positions in the recording that match equally well [count]
--   found_on            day for which the run that found it made lists, the day after its logs end
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
