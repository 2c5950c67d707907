"""`python -m devnet start` and the other commands of `devnet.cli`."""

from devnet.cli import devnet

devnet(prog_name="python -m devnet")
