"""`python -m charbot` is the `charbot` command."""

import sys

from charbot.cli import main

sys.exit(main())
