"""What holds for every test."""

from __future__ import annotations

from hypothesis import settings

# No test asserts a time: machines are shared, and a slow example is no defect.
settings.register_profile("leasehold", deadline=None)
settings.load_profile("leasehold")
