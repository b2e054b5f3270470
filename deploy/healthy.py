"""Exit 0 when a path of this container answers 200: `python deploy/healthy.py 8000 /healthz/live`.

Asks as the proxy would, by the public name over https; the desk refuses any other name and redirects plain http.
"""

import http.client
import os
import sys
from urllib.parse import urlsplit

port, path = int(sys.argv[1]), sys.argv[2]
name = urlsplit(os.environ.get("SUPPORTDESK_URL", "")).hostname or "127.0.0.1"
connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
connection.request("GET", path, headers={"Host": name, "X-Forwarded-Proto": "https"})
sys.exit(connection.getresponse().status != 200)
