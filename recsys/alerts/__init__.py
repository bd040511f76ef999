"""Alerts on what people watch: found in the viewer's own warehouse file, sent as one message per night."""
