-- Values below which a tenth, two fifths, three fifths and nine tenths of the analysed recordings lie; null without any.
select
    quantile_cont(energy, [0.1, 0.4, 0.6, 0.9]) as energy,
    quantile_cont(danceability, [0.1, 0.4, 0.6, 0.9]) as danceability,
    quantile_cont(loudness_lufs, [0.1, 0.4, 0.6, 0.9]) as loudness
from marts.track_features
