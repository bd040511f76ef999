"""Work on Apache Spark: the session, and the engine that builds the warehouse's tables there."""
