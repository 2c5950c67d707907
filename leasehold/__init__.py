"""Python client library and command line of Leasehold, for every role."""

__version__ = "0.1.0"
