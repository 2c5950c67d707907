"""Keep the libraries' chatter out of a person's way."""

from __future__ import annotations


def quiet_libraries() -> None:
    """Only errors from transformers, and no progress bars of its own."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
