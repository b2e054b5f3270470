"""What Slack shows of an incident: one headline a channel, a room of its own for the worst, and who is behind @oncall.

`following` is told of every timeline entry; `headline`, `rooms` and `mention` post; `forms` asks. What people answer
comes in through `incidents.hooks.slack`.
"""
