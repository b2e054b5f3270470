"""Texts of messages that managers changed: `models` keeps every revision, `rules`* says what a text may say, `actions`
writes."""
