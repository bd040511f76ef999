"""Audio fingerprints that are robust against noise, coding, and changes of tempo, pitch and speed."""
