-- Every recording that any file mentions.
select track_id from marts.track_features
