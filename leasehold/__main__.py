"""`python -m leasehold` is the command `leasehold`."""

from leasehold.cli import main

main(prog_name="leasehold")
