"""``python -m sipas_research``: the same as the command ``sipas``."""

import sys

from sipas_research.cli import main

if __name__ == "__main__":
    sys.exit(main())
