"""What chip vendors' public services say about this machine: certificates, revocation, reference values.

Everything fetched is signed by a vendor and checked by whoever verifies evidence with it; nothing here is
trusted, and nothing here decides.
"""

from tee_worker.vendors.services import CollateralFetchFailed, Service
from tee_worker.vendors.vendors import Vendors

__all__ = ["CollateralFetchFailed", "Service", "Vendors"]
