-- SHA-256 of the uploads that runs have searched for recordings of the catalogue.
select source_audio_id
from marts.match_checks
where source_kind = 'upload'
