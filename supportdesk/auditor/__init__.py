"""The auditor: does what should have happened really happen? Asked in plain SQL, by a process of its own.

It never goes through the queue it watches. What it finds it says by ways of its own, and only while it finds nothing
does it tell the outside that all is well (docs/reliability.md).
"""
