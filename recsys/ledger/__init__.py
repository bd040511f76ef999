"""The ledger of labels' figures: what a label may know of its listeners, written once per period and never revised."""
