"""The raw tables: append-only Parquet files, and the contract that every row of them keeps."""
