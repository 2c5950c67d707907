"""The trainer process: `python -m tee_worker.trainer JOB.json`.

Messages go to standard output as JSON Lines, libraries' chatter to standard error. SIGTERM and SIGINT write a
checkpoint first. Exit status: 0 done, 1 failed (the last message says why), 3 interrupted, 4 supervisor gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

EXIT_FAILED, EXIT_INTERRUPTED, EXIT_ORPHANED = 1, 3, 4
WITH_PARENT = "--with-parent"
"""Option: end at once when standard input closes, which it does when the supervisor is gone."""


def end_with_parent() -> None:
    """Leave no trainer behind that reads clear data for nobody, and writes where the next one writes."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(EXIT_ORPHANED)

    threading.Thread(target=watch, daemon=True).start()


def main(argv: list[str]) -> int:
    if WITH_PARENT in argv:
        end_with_parent()
    os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", TOKENIZERS_PARALLELISM="false")
    # OpenMP threads otherwise spin while they wait, which costs many times over on a shared machine.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints is not a message

    from tee_worker.errors import TrainingInterrupted, WorkerError
    from tee_worker.trainer.job import FailedMessage, Message, TrainingJob
    from tee_worker.trainer.quiet import quiet_libraries
    from tee_worker.trainer.recipe import train

    quiet_libraries()
    stop = False

    def on_signal(signum: int, frame: FrameType | None) -> None:
        nonlocal stop
        stop = True

    def tell(message: Message) -> None:
        out.write(message.model_dump_json() + "\n")

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    try:
        job = TrainingJob.model_validate_json(Path(argv[1]).read_bytes())
        train(job, tell, lambda: stop)
    except TrainingInterrupted:
        return EXIT_INTERRUPTED
    except WorkerError as error:
        tell(FailedMessage(reason=error.reason, message=str(error)))
        return EXIT_FAILED
    except Exception as error:  # the renter must learn why, whatever a library raised
        # By its kind alone: a library's text may repeat rows, and this message leaves the TEE.
        tell(FailedMessage(reason="training_failed", message=type(error).__name__))
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
