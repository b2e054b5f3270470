"""Measurements: each prints one JSON object; `python -m tests.bench` runs them by group."""
