"""The one base of every error that building a canister can raise."""


class CdkError(Exception):
    """Something the builder was given or found cannot work; the message says what, and what to do."""
