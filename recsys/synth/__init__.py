"""Music with exact labels: tunes, arranged and rendered, whose tempo, key, instruments and melody are known."""
