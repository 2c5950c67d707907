"""`python -m leasehold`: the command line."""

from leasehold.cli import main

main(prog_name="leasehold")
