"""Everything that raises an alarm by itself: monitors, missed heartbeats, unusual figures (domain §9).

`rules`* `windows`* `beats`* `anomaly`* `replay`* are pure; `intake` turns signals into alerts and alerts into
incidents, `recovery` `maintenance` `watching` `series` are what time does to them, `console` and `api` are the doors.
"""
