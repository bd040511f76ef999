"""Training of encoders and fingerprint networks on recordings whose rights holders consent."""
