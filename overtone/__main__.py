"""The command line as `python -m overtone`."""

import sys

from overtone.cli.main import main

sys.exit(main())
