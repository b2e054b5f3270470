"""The door vendors come through: verify, store, answer; then apply, each thing once.

`POST /hooks/<vendor>/<code>/`. What is answered 2xx is stored. `door` takes requests, `applying` does what they ask,
by the verbs the other files of this package bring: one file a vendor, or a kind of vendor.
"""

from incidents.hooks.applying import VERBS, process
from incidents.hooks.door import receive

__all__ = ["VERBS", "process", "receive"]
