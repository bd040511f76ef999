"""The raw tables: append-only Parquet files whose rows all satisfy a data contract."""
