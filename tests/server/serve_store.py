"""Serve the snapshot of a folder with limits of a test's choice; a process for tests to start.

Arguments: the folder of the snapshot (``.kg``), the base of its names, limits as JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from kg.server.app import create_app
from kg.server.pool.services import listed
from kg.server.run import listen, serve
from kg.server.site import Identity
from kg.server.wire.limits import Limits

root, base, limits_text = sys.argv[1:]
told = json.loads(limits_text)
origins = [listed(text) for text in told.pop("services", ())]
limits = Limits(**told)
accepting = listen("127.0.0.1", 0)
app = create_app([Identity(base, "A store of a test", (Path(root),))], limits, origins=origins)
address = f"http://127.0.0.1:{accepting.getsockname()[1]}/sparql"
serve(app, accepting, limits.timeout, lambda: print("is at", address, file=sys.stderr, flush=True))
