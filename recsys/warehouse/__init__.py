"""The SQL layer: files in `sql/` -> checked tables -> one published DuckDB file. The only home of duckdb."""
