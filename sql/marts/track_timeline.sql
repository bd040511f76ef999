-- Beats, bars and chords of each recording in time, as lists, and its chromagram: where tuning, metre or style is not
-- heard clearly, they are null. The beats of a bar lie between two downbeats. A takedown has no chromagram.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id        recording
--   beats_s         time of each beat from the beginning [s]
--   downbeats_s     time of the first beat of each bar [s]
--   chord_starts_s  start of each chord; each begins where the one before ends [s]
--   chord_ends_s    end of each chord [s]
--   chords          name of each chord: C (major), Cm (minor) and so on, or N (no chord)
--   chromagram      which pitch classes sound when: twelve hexadecimal digits per frame of .256 s, C to B; null of takedowns
-- reconcile:
--   (select count(*) from marts.track_timeline) <= (select count(*) from marts.track_audio)
select
    audio_names.track_id,
    features.beats_s,
    features.downbeats_s,
    features.chord_starts_s,
    features.chord_ends_s,
    features.chords,
    case when takedowns.track_id is null then features.chromagram end as chromagram
from raw.audio_features as features
inner join staging.audio_names as audio_names on features.track_id = audio_names.name
left join staging.takedowns as takedowns on audio_names.track_id = takedowns.track_id
where audio_names.name_no = 1 and (features.beats_s is not null or features.chords is not null or features.chromagram is not null)
