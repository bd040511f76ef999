"""
The morning report, for the operator and for each label.

It names recordings that break out, newly found uses of recordings, artists who lose listeners, and data issues.
"""
