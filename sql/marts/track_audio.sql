-- Audio features of each recording: tempo, key, loudness, timbre and measures derived from them, from the newest
-- analysis of its file.
-- grain: track_id
-- rows: 0
-- labels: track_id
-- columns:
--   track_id               recording
--   audio_id               hash of the file's bytes, null where the features were delivered
--   file                   path of the file in the scanned folder, null where the features were delivered
--   codec                  codec, null where unknown
--   duration_ms            length of the decoded audio, null where unknown [ms]
--   rate_hz                sampling rate, null where unknown [Hz]
--   n_channels             channels, null where unknown [count]
--   lost_ms                length of audio that could not be decoded, null where unknown [ms]
--   loudness_lufs          integrated loudness (ITU-R BS.1770), null for silence [LUFS]
--   loudness_range_lu      loudness range (EBU Tech 3342), null where the recording is too short [LU]
--   true_peak_dbtp         true peak (ITU-R BS.1770), null for silence [dBTP]
--   stereo_width           stereo width, from 0 (mono) to 1 (nothing common to both channels)
--   silence_share          share of the length that is silent, 0..1
--   crest_db               highest sample over the root mean square of all samples [dB]
--   clipped_samples        samples in flat runs at the peak of the recording, over all channels [count]
--   channel_correlation    correlation of left and right, from -1 (inverted) to 1 (mono), null unless there are two channels
--   dc_offset              mean of the channel whose mean is furthest from 0, as a share of full scale
--   silent_start_s         length before the first sample above -60 dBFS [s]
--   silent_end_s           length after the last sample above -60 dBFS [s]
--   bandwidth_hz           where the spectrum ends in a steep edge; half the sampling rate if it has none [Hz]
--   source_rate_hz         sampling rate that this edge suggests, below rate_hz where the recording was upsampled [Hz]
--   effective_bits         bits that the samples use, null where they are not whole numbers of 24 bits [bit]
--   lossy_origin           score of samples of a lossless file that were once coded as MP3 or AAC, 0..1, probable from 0.9 on; null below about 4 s, and for a lossy file
--   band_levels_db         levels of ten octave bands from 31.25 Hz to 16 kHz, relative to their sum [dB]
--   tempo_bpm              tempo; in 6/8 the beat is the dotted crotchet [1/min]
--   tempo_confidence       confidence of the tempo, 0..1
--   beat_strength          how clearly the beat stands out, 0..1
--   onset_rate_hz          onsets per second [1/s]
--   beat_confidence        how clearly beats are heard, 0..1; null where they are not heard clearly
--   tempo_variation        standard deviation of the tempo over four beats, relative to its mean; 0 for a metronome
--   beats_per_bar          most frequent number of beats per bar, 2 to 4; in 6/8 the beat is the dotted crotchet
--   key                    tonic: C, C#, D and so on; null where it is not heard clearly
--   mode                   major or minor: dorian counts as minor, mixolydian as major
--   key_confidence         confidence of key and mode, 0..1
--   tuning_cents           deviation from A = 440 Hz, -50..50 [cent]
--   spectral_centroid_hz   mean frequency, weighted by magnitude [Hz]
--   spectral_bandwidth_hz  standard deviation around it [Hz]
--   spectral_rolloff_hz    frequency below which 85 % of the magnitude lies [Hz]
--   spectral_flatness      spectral flatness, from 0 (tone) to 1 (noise)
--   mfcc_mean              mean of 20 mel frequency cepstral coefficients
--   mfcc_std               standard deviation of the 20 coefficients
--   chroma                 share of each of the twelve pitch classes from C on; sums to 1
--   main_chords            the up to four chords that sound longest, longest first, such as C G Am F; null where none is heard
--   chord_changes_per_min  changes from a chord to another one per minute [1/min]
--   chord_confidence       mean probability of the chords, 0..1
--   vocal_share            share of excerpts of 3 s in which the taggers hear a voice, 0..1; null where unknown
--   energy                 perceived energy, 0..1 (defined in recsys/audio)
--   danceability           danceability, 0..1 (defined in recsys/audio)
--   analyser               name and version of the analysis
-- checks:
--   tempo_bpm is null or tempo_bpm > 0
--   energy is null or energy between 0 and 1
--   vocal_share is null or vocal_share between 0 and 1
--   lossy_origin is null or lossy_origin between 0 and 1
-- reconcile:
--   (select count(*) from marts.track_audio) <= (select count(*) from (select distinct track_id from raw.audio_features_versions) as rows)
select
    audio_names.track_id,
    features.audio_id,
    features.file,
    features.codec,
    features.duration_ms,
    features.rate_hz,
    features.n_channels,
    features.lost_ms,
    features.loudness_lufs,
    features.loudness_range_lu,
    features.true_peak_dbtp,
    features.stereo_width,
    features.silence_share,
    features.crest_db,
    features.clipped_samples,
    features.channel_correlation,
    features.dc_offset,
    features.silent_start_s,
    features.silent_end_s,
    features.bandwidth_hz,
    features.source_rate_hz,
    features.effective_bits,
    features.lossy_origin,
    features.band_levels_db,
    features.tempo_bpm,
    features.tempo_confidence,
    features.beat_strength,
    features.onset_rate_hz,
    features.beat_confidence,
    features.tempo_variation,
    features.beats_per_bar,
    features.key,
    features.mode,
    features.key_confidence,
    features.tuning_cents,
    features.spectral_centroid_hz,
    features.spectral_bandwidth_hz,
    features.spectral_rolloff_hz,
    features.spectral_flatness,
    features.mfcc_mean,
    features.mfcc_std,
    features.chroma,
    features.main_chords,
    features.chord_changes_per_min,
    features.chord_confidence,
    features.vocal_share,
    features.energy,
    features.danceability,
    features.analyser
from raw.audio_features as features
inner join staging.audio_names as audio_names on features.track_id = audio_names.name
where audio_names.name_no = 1
