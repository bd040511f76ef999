"""
Definitions of columns that a query computes for a page, where no mart's header defines them.

Each column name has one meaning on all pages. Units stand in square brackets, as in the headers of marts.
"""

COMPUTED_COLUMNS = {
    "acceleration": "velocity / velocity one window earlier: above 1, growth is accelerating",
    "algorithmic_share": "plays chosen by a recommender / plays whose source is known [0..1]",
    "completion_rate": "listens of at least 90 % of the recording / listens whose length is known [0..1]",
    "false_positives": "share of recordings absent from the index that would match at least this well [0..1]",
    "heard_h": "total length of the audio searched [h]",
    "id": "id of the recording or the artist",
    "is_current": "whether dashboards and exports use this run",
    "kind": "recording or artist",
    "n_accepted": "rows accepted by the contract of their table [count]",
    "n_duplicate": "rows that had already been delivered [count]",
    "n_files": "files or recordings searched [count]",
    "n_not_heard": "files or recordings that could not be decoded [count]",
    "n_plays": "plays: at least 30 s or half the recording [count]",
    "n_plays_before": "plays in the preceding period of the same length [count]",
    "n_refused": "rows that violated the contract of their table; they are kept in the quarantine [count]",
    "n_steps": "completed steps of the nightly run [count]",
    "n_tracks": "recordings with at least one play [count]",
    "ndcg": "nDCG@10 of the exported recommendations on held-out days, mean over listeners [0..1]",
    "place": "rank in the exported list; empty where the recording is not on the list",
    "play_share": "share of the artist's plays [0..1]",
    "rank": "rank; 1 is the best",
    "reasons": "why the gate refused the run",
    "refused_share": "refused rows / all delivered rows [0..1]",
    "save_share": "saves / plays [0..1]",
    "seconds": "total duration of all steps [s]",
    "share": "share of the total [0..1]",
    "similarity": "cosine similarity of the audio embeddings; 1 is identical",
    "skip_share": "skips / (plays + skips) [0..1]",
    "velocity": "plays / plays in the preceding period of the same length: 2 is twice as many",
    "verdict": "published, refused by the gate, or not finished",
}

SUPPRESSION_NOTE = "Totals are incomplete: small groups are suppressed."  # shown to labels beside counts of listening
LISTENING_COUNTS = frozenset(
    {
        *("n_listeners", "n_plays", "n_skips", "n_active_plays", "n_algorithmic_plays", "n_timed_listens"),
        *("n_completions", "n_likes", "n_saves", "n_playlist_adds", "n_shares", "n_plays_peak"),
        *("n_cohort", "n_expected", "n_shown", "n_players"),
        *("n_plays_before", "plays_a_day", "difference"),  # these are computed for pages
    }
)
