"""What the C runtime asks of Python: import modules from the application bundle, and put failures into words.

The bundle is `marshal.dumps({"entry": name, "modules": {name: (is_package, marshalled code)}})`, made by the
builder with the same minor version of Python. This module is frozen into the runtime.
"""

import gc
import marshal
import sys
from _frozen_importlib import ModuleSpec

MESSAGE_BYTES = 2000
TRACEBACK_FRAMES = 20
TEXT_BYTES = 4000  # of summary and traceback each; the C side sends no more than 4096


class BundleImporter:
    """Finds and loads the application's modules; each is unmarshalled when it is first imported."""

    def __init__(self, modules):
        self.modules = modules

    def find_spec(self, name, path=None, target=None):
        entry = self.modules.get(name)
        if entry is None:
            return None
        return ModuleSpec(name, self, origin="bundle", is_package=entry[0])

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        _, code = self.modules.pop(module.__name__)
        code = marshal.loads(code)
        module.__file__ = code.co_filename
        exec(code, module.__dict__)


def start(bundle):
    """Import the application's entry module; answer its `dispatch(kind, number)`."""
    content = marshal.loads(bundle)
    sys.meta_path.append(BundleImporter(content["modules"]))
    name = content["entry"]
    __import__(name)
    dispatch = sys.modules[name].dispatch
    gc.collect()
    gc.freeze()  # what init built stays: later collections look only at what came after
    return dispatch


def describe(exception):
    """The texts (summary for the trap, traceback for the log) of an uncaught exception."""
    frames = []
    traceback = exception.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        frames.append((code.co_filename, traceback.tb_lineno, code.co_qualname))
        traceback = traceback.tb_next
    return _summary(exception, frames), _traceback(exception, frames)


def _message(exception):
    try:
        text = str(exception)
    except BaseException:
        text = "<its message cannot be shown>"
    name = type(exception).__name__
    text = f"{name}: {text}" if text else name
    return text.encode("utf-8", "replace").decode()  # a lone surrogate cannot be sent


def _shortened(text, limit):
    """`text` cut to `limit` bytes of UTF-8, with an ellipsis if that cuts anything."""
    raw = text.encode()
    return text if len(raw) <= limit else raw[: limit - 3].decode("utf-8", "ignore") + "…"


def _summary(exception, frames):
    message = _shortened(_message(exception), MESSAGE_BYTES)
    shown = [frame for frame in frames if not frame[0].startswith("<")] or frames
    if not shown:
        return message
    file, line, function = shown[-1]
    return _shortened(f"{message} ({file}:{line} in {function})", TEXT_BYTES)


def _traceback(exception, frames):
    lines = [f"  {file}:{line} in {function}" for file, line, function in frames]
    if len(lines) > TRACEBACK_FRAMES:
        half = TRACEBACK_FRAMES // 2
        lines[half:-half] = [f"  … {len(lines) - TRACEBACK_FRAMES} more …"]
    cause = exception.__cause__ or (None if exception.__suppress_context__ else exception.__context__)
    tail = [_message(exception)]
    if cause is not None:
        tail.append("caused by " + _message(cause))
    text = "\n".join(["Traceback (most recent call last):", *lines, *tail])
    return _shortened(text, TEXT_BYTES)
