"""`python -m overtone`: the command line."""

import sys

from overtone.cli.main import main

sys.exit(main())
