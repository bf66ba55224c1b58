"""`python -m overtone`: the command line."""

import sys

from overtone.ui.cli import main

sys.exit(main())
