"""The war room of a critical incident: who has which role, what happens when, and what is said to whom (domain §6).

`roles`*, `plan`*, `drafts`* and `leaks`* are rules; `seats` keeps who has which role, `following` keeps the planned
prompts in step with the incident, `prompting` does what a prompt is there for. The verbs are in `incidents.actions`.
"""
