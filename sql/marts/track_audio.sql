-- What was measured in the sound of each recording: tempo, key, loudness, timbre and what follows from them.
-- reason: analysts and label files read it; staging goes when the build ends
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id               recording
--   audio_id               hash of the file's bytes, null where somebody else analysed it
--   file                   the file, as seen from the folder that was scanned, null where somebody else analysed it
--   codec                  how it is encoded, null where unknown
--   duration_ms            length of what could be decoded, null where unknown [ms]
--   rate_hz                sampling rate, null where unknown [Hz]
--   n_channels             channels, null where unknown [count]
--   lost_ms                length of what could not be decoded, null where unknown [ms]
--   loudness_lufs          integrated loudness (ITU-R BS.1770), null for silence [LUFS]
--   loudness_range_lu      loudness range (EBU Tech 3342), null where too short [LU]
--   true_peak_dbtp         true peak (ITU-R BS.1770), null for silence [dBTP]
--   stereo_width           0 for mono, 1 where nothing is common to both sides
--   silence_share          share of the time that is silent, 0..1
--   tempo_bpm              tempo; in 6/8 the beat is the dotted crotchet [1/min]
--   tempo_confidence       how sure the tempo is, 0..1
--   beat_strength          how clearly the beat stands out, 0..1
--   onset_rate_hz          onsets of sounds a second [1/s]
--   key                    tonic: C, C#, D and so on
--   mode                   major or minor: dorian counts as minor, mixolydian as major
--   key_confidence         how sure key and mode are, 0..1
--   tuning_cents           how far it is tuned from A = 440 Hz, -50..50 [cent]
--   spectral_centroid_hz   mean frequency, weighted by strength [Hz]
--   spectral_bandwidth_hz  spread around it [Hz]
--   spectral_rolloff_hz    frequency below which 85 % of the strength lies [Hz]
--   spectral_flatness      0 for a tone, 1 for noise
--   mfcc_mean              mean of 20 mel frequency cepstral coefficients
--   mfcc_std               their standard deviations
--   chroma                 share of the twelve pitch classes from C, sums to 1
--   energy                 how forceful it sounds, 0..1 (defined in recsys/audio)
--   danceability           how fit for dancing, 0..1 (defined in recsys/audio)
--   analyser               what computed these
-- checks:
--   tempo_bpm is null or tempo_bpm > 0
--   energy is null or energy between 0 and 1
-- reconcile:
--   (select count(*) from marts.track_audio) = (select count(*) from staging.audio_features)
select
    track_id,
    audio_id,
    file,
    codec,
    duration_ms,
    rate_hz,
    n_channels,
    lost_ms,
    loudness_lufs,
    loudness_range_lu,
    true_peak_dbtp,
    stereo_width,
    silence_share,
    tempo_bpm,
    tempo_confidence,
    beat_strength,
    onset_rate_hz,
    key,
    mode,
    key_confidence,
    tuning_cents,
    spectral_centroid_hz,
    spectral_bandwidth_hz,
    spectral_rolloff_hz,
    spectral_flatness,
    mfcc_mean,
    mfcc_std,
    chroma,
    energy,
    danceability,
    analyser
from staging.audio_features
