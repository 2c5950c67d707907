import pytest

from leasehold.errors import ConfigurationError
from leasehold.interfaces import CANISTERS, load_interface
from leasehold.marketplace import Marketplace


@pytest.mark.parametrize("name", [*CANISTERS, "management"])
def test_every_interface_is_found_and_read(name: str) -> None:
    assert load_interface(name).methods


def test_an_unknown_interface_is_named() -> None:
    with pytest.raises(ConfigurationError, match="interface of 'cake' is missing"):
        load_interface("cake")


def test_the_client_has_every_method_of_the_marketplace() -> None:
    missing = {name for name in load_interface("marketplace").methods if not hasattr(Marketplace, name)}
    assert missing == set()
