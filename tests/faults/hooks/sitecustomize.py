"""Loaded by each Python of a product under test: gives the programs that SHIFTED_CLOCKS names another time of day.

`SHIFTED_CLOCKS="worker=+7200 web=-7200"`, in seconds. Such a program starts again under libfaketime; time that only
runs (the monotonic clock) stays as it is. Imports as little as it can: every process of the product comes by here.
"""

import os
import sys

SHIFTED, PRELOAD = "SHIFTED_CLOCKS", "LD_PRELOAD"
PLACES = ("/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/faketime", "/usr/lib64/faketime")
WORDS = {"web": "orchestra.embedded.web", "worker": "worker", "beat": "beat"}


def library() -> str:
    """Return the path of libfaketime, empty where it is not installed."""
    found = (os.path.join(place, "libfaketimeMT.so.1") for place in PLACES)  # noqa: PTH118 - pathlib is not loaded yet
    return next((path for path in found if os.path.exists(path)), "")  # noqa: PTH110 - as above


def _shift() -> None:
    for part in os.environ.get(SHIFTED, "").split():
        program, _, seconds = part.partition("=")
        if WORDS[program] in sys.orig_argv and PRELOAD not in os.environ:
            shifted = {PRELOAD: library(), "FAKETIME": f"{int(seconds):+d}", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
            os.execve(sys.executable, sys.orig_argv, {**os.environ, **shifted})


if SHIFTED in os.environ:
    _shift()
