"""`python -m companion list | run NAME … | verify`."""

import sys

from .cli import execute, parser

if __name__ == "__main__":
    sys.exit(execute(parser()[0]))
