#!/usr/bin/env python
"""Django's command line for the desk."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "supportdesk.settings")
    if "SECRET_KEY" not in os.environ:  # production cannot run without one, so this is a checkout somebody tries out
        os.environ.setdefault("SUPPORTDESK_MODE", "demo")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
