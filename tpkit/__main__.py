"""Lets `python -m tpkit` do what the `tpkit` command does."""

from tpkit.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
