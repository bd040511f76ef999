"""The warehouse: SQL files -> checked tables -> one published DuckDB file. The only package that imports duckdb."""
