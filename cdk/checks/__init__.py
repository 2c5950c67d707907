"""`check_canister`: what a compiler or the network would refuse in a canister's source, with the place.

| who | what refuses |
|---|---|
| cdk | our own builder: imports, syntax, definitions, the checked-in `.did` |
| network | the Internet Computer: too many methods, names or metadata too long |
| kybra | the compiler of stock Kybra 0.7.1 only: the canister builds here, but could not be moved there |
"""

from .canister import check_canister
from .findings import Finding

__all__ = ["Finding", "check_canister"]
