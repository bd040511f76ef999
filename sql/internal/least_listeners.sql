-- Listeners that each line of the ledger has at least, the largest number if it changed; null without lines.
select max(min_listeners) as n_listeners
from marts.label_figures
