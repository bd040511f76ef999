"""Files -> contract -> lake, the refused rows to the quarantine."""

from recsys.ingest.run import IngestReport, ingest, source_files

__all__ = ["IngestReport", "ingest", "source_files"]
