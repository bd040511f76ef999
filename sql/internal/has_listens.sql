-- Whether the warehouse has any listens.
select count(*) > 0 as has_listens
from marts.interactions_daily
