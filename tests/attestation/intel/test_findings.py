"""Bugs that fuzzing found in reading Intel's collateral, one test each."""

from __future__ import annotations

import json

import pytest

from attestation import MalformedEvidence
from attestation.intel.pccs import MEMBERS, collateral_from_json


@pytest.mark.parametrize("member", MEMBERS)
def test_half_a_character_in_a_member_ended_in_a_unicode_error(member: str) -> None:
    fields = dict.fromkeys(MEMBERS, "30820102") | {member: "\ud800"}
    with pytest.raises(MalformedEvidence):
        collateral_from_json(json.dumps(fields))
