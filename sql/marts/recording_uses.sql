-- Uses of each recording that matching found, as its label may see them: the source is named only where it is a
-- recording of the same label. marts.match_candidates has all details.
-- grain: track_id, source_audio_id, starts_s
-- rows: 0
-- labels: track_id
-- columns:
--   track_id         recording that is used
--   source_audio_id  hash of the source's bytes
--   starts_s         start of the use in the source [s]
--   ends_s           end of the use in the source [s]
--   source_kind      upload or catalogue
--   source_track_id  recording that uses it, null for an upload and for recordings of other labels
--   relation         same, contained or part (see marts.match_candidates)
--   probability      match probability, 0..1
--   found_on         day for which the run that found it made lists, the day after its logs end
-- checks:
--   probability between 0 and 1
-- reconcile:
--   (select count(*) from marts.recording_uses) <= (select count(*) from marts.match_candidates where track_id is not null)
select
    uses.track_id,
    uses.source_audio_id,
    uses.starts_s,
    max(uses.ends_s) as ends_s,
    max(uses.source_kind) as source_kind,
    max(sources.track_id) as source_track_id,
    max(uses.relation) as relation,
    max(uses.probability) as probability,
    min(uses.found_on) as found_on
from marts.match_candidates as uses
inner join marts.track_features as tracks on uses.track_id = tracks.track_id
left join marts.track_features as sources
    on uses.source_track_id = sources.track_id and tracks.label_id = sources.label_id
where uses.track_id is not null
group by uses.track_id, uses.source_audio_id, uses.starts_s
