"""Keep the libraries' chatter out of a person's way."""

from __future__ import annotations

import warnings


def quiet_libraries() -> None:
    """Only errors from transformers, no progress bars of its own, no warnings about what peft calls in it."""
    warnings.filterwarnings(
        "ignore", message="`is_gradient_checkpointing` is deprecated", category=FutureWarning
    )
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
