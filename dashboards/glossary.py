"""What columns mean that a query computes for a page, where no mart's header says it: one meaning a name."""

COMPUTED = {
    "acceleration": "velocity / velocity one window earlier: above 1 the rise gets faster",
    "algorithmic_share": "plays that a recommender chose / plays whose source is known [0..1]",
    "completion_rate": "listens of at least 90 % of the recording / listens whose length is known [0..1]",
    "false_positives": "of recordings that are in no index, how many would pass as this does",
    "heard_h": "length of what was heard [h]",
    "id": "of the recording or the artist",
    "is_current": "whether pages and exports show this run",
    "kind": "recording or artist",
    "n_accepted": "rows that kept their contract [count]",
    "n_duplicate": "rows that had been delivered before [count]",
    "n_files": "files or recordings that were looked through [count]",
    "n_not_heard": "of them, those that could not be decoded [count]",
    "n_plays": "plays: at least 30 s or half the recording [count]",
    "n_plays_before": "plays of as many days before [count]",
    "n_refused": "rows that broke their contract; they lie in the quarantine [count]",
    "n_steps": "steps of the night that ended [count]",
    "n_tracks": "recordings that were played at least once [count]",
    "ndcg": "nDCG@10 of what was exported, on days that it had not seen: 0..1, mean over listeners",
    "place": "rank in the exported list; empty where the list left it out",
    "rank": "1 is the best",
    "reasons": "what the gate found wrong",
    "refused_share": "refused rows / all rows delivered [0..1]",
    "save_share": "saves / plays [0..1]",
    "seconds": "of all steps together [s]",
    "share": "share of the whole [0..1]",
    "similarity": "cosine of the sounds' vectors: 1 is the same sound",
    "skip_share": "skips / (plays + skips) [0..1]",
    "velocity": "plays / plays of as many days before: 2 is twice as many",
    "verdict": "published, refused by the gate, or not finished",
}

NOT_WHOLE = "Not the whole: small groups are left out."  # beside every total that a label sees of listening
FROM_LISTENING = frozenset(
    {
        *("n_listeners", "n_plays", "n_skips", "n_active_plays", "n_algorithmic_plays", "n_timed_listens"),
        *("n_completions", "n_likes", "n_saves", "n_playlist_adds", "n_shares", "n_plays_peak", "n_within_label"),
        *("n_cohort", "n_expected", "n_shown", "n_players"),
        *("n_plays_before", "plays_a_day", "difference"),  # these are computed for pages
    }
)
