#!/usr/bin/env python
"""The command line."""

import os
import sys

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "orchestra.settings")
    from orchestra.command_line import main

    main(sys.argv)
