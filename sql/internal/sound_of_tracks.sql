-- Audio embedding and features of each recording whose consent to training is granted.
select
    vectors.track_id,
    vectors.encoder,
    vectors.vector,
    ln(audio.tempo_bpm) as tempo,
    audio.onset_rate_hz as onsets,
    ln(audio.spectral_centroid_hz) as brightness,
    cast(audio.mode = 'minor' as double) as minor
from marts.track_vectors as vectors
inner join marts.track_features as features on vectors.track_id = features.track_id
left join marts.track_audio as audio on vectors.track_id = audio.track_id
where features.training_consent = 'granted'
order by vectors.track_id asc
