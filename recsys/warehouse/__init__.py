"""The warehouse: SQL files -> checked tables -> one published DuckDB file. The only room that imports duckdb."""
