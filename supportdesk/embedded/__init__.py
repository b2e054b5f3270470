"""`make run` without anything to install: an embedded PostgreSQL and the supervisor of the desk's processes.

For trying out, developing and testing. Production runs a PostgreSQL of its own and a service manager (docs/running.md).
"""
