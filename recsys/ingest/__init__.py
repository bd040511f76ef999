"""Files -> contract -> lake, the refused rows to the quarantine; `ingest.run` is the way in."""
