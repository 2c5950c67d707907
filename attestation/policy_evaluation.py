"""Application of a policy to what sound evidence says: one row per condition, and nothing left out."""

from __future__ import annotations

from dataclasses import dataclass

from attestation.amd.tcb import describe_tcb
from attestation.claims import VALID, Claim, compare, row, unverifiable
from attestation.facts import (
    CpuFacts,
    EvidenceFacts,
    GpuFacts,
    ManifestFacts,
    RevocationFact,
    SwitchFacts,
)
from attestation.policy import AnyOf, Policy, PolicyExpression
from attestation.versions import at_least

# The certificates that an issuer can revoke, in the order of `revocation` in the facts.
DEVICE_CERTIFICATES = ("boot_rom", "provisioner", "identity")
MANIFEST_CERTIFICATES = ("signer", "intermediate", "authority")


@dataclass(frozen=True)
class Outcome:
    """Rows of one evaluation; `simulated` says whether what was accepted are development roots."""

    simulated: bool
    claims: tuple[Claim, ...]

    @property
    def accepted(self) -> bool:
        """True when every row is valid."""
        return all(claim.verdict == VALID for claim in self.claims)


def evaluate(policy: PolicyExpression, facts: EvidenceFacts) -> Outcome:
    """Apply `policy`; rows of a composition begin with the member's name."""
    if isinstance(policy, Policy):
        return Outcome(policy.simulated, _rows(policy, facts))
    outcomes = [(member.name, evaluate(member, facts)) for member in policy.members]
    if isinstance(policy, AnyOf):
        accepted = [entry for entry in outcomes if entry[1].accepted]
        outcomes = accepted[:1] or outcomes
    claims = tuple(
        Claim(f"{name}/{claim.name}", claim.verdict, claim.expected, claim.found)
        for name, outcome in outcomes
        for claim in outcome.claims
    )
    return Outcome(any(outcome.simulated for _, outcome in outcomes), claims)


def _rows(policy: Policy, facts: EvidenceFacts) -> tuple[Claim, ...]:
    rows = _cpu_rows(policy, facts.cpu) + _guest_rows(policy, facts)
    for index, gpu in enumerate(facts.gpus):
        rows += _gpu_rows(policy, gpu, f"gpu[{index}]")
    for index, switch in enumerate(facts.switches):
        rows += _switch_rows(policy, switch, f"switch[{index}]")
    return tuple(rows)


def _cpu_rows(policy: Policy, cpu: CpuFacts) -> list[Claim]:
    rows = [
        _one_of("cpu.tee_kind", policy.tee_kinds, cpu.kind),
        _one_of("cpu.root", policy.cpu_roots, cpu.root_sha256),
        _one_of("cpu.measurement", policy.measurements, cpu.measurement),
        compare("cpu.debug", "off", _on_off(cpu.debug)),
        compare("cpu.migration", "off", _on_off(cpu.migratable)),
        *(_tdx_rows(policy, cpu) if cpu.kind == "tdx" else _snp_rows(policy, cpu)),
        _tcb_row(policy, cpu),
        _device_row(policy, "cpu.device", cpu.chip_id),
    ]
    if policy.require_revocation:
        rows.append(_cpu_revocation_row(cpu))
    return rows


def _snp_rows(policy: Policy, cpu: CpuFacts) -> list[Claim]:
    rows = [
        compare("cpu.vmpl", "0", str(cpu.vmpl)),
        _one_of("cpu.signing_key", policy.snp_signing_keys, cpu.signing_key),
    ]
    required = policy.required_mitigations.get(cpu.product, 0)
    if required:
        expected = f"all bits of {required:#x} set at launch and now"
        bits = cpu.mitigations
        rows.append(
            unverifiable("cpu.mitigations", expected, "the report is older than version 5")
            if bits is None
            else row("cpu.mitigations", bits & required == required, expected, hex(bits))
        )
    return rows


def _tdx_rows(policy: Policy, cpu: CpuFacts) -> list[Claim]:
    return [
        _one_of("cpu.tcb_status", policy.tdx_tcb_statuses, cpu.tcb_status),
        compare("cpu.memory_exceptions", "off", _on_off(not cpu.exceptions_disabled)),
    ]


def _cpu_revocation_row(cpu: CpuFacts) -> Claim:
    """No certificate is revoked, says a list that holds now; a revoked one never gets as far as here."""
    expected = "on no revocation list of its issuer"
    missing = [fact.name for fact in cpu.revocation if fact.status != "good"]
    if missing or not cpu.revocation:
        found = f"no list was given for {', '.join(missing) or 'any certificate'}"
        return unverifiable("cpu.revocation", expected, found)
    return row("cpu.revocation", True, expected, ", ".join(fact.name for fact in cpu.revocation))


def _gpu_rows(policy: Policy, gpu: GpuFacts, name: str) -> list[Claim]:
    rows = [
        _one_of(f"{name}.root", policy.gpu_roots, gpu.root_sha256),
        _one_of(f"{name}.chip", policy.gpu_chips, gpu.chip),
        _one_of(f"{name}.mode", policy.gpu_modes, gpu.mode),
        _minimum(f"{name}.driver", policy.minimum_driver, gpu.driver),
        _vbios_row(policy, gpu, f"{name}.vbios"),
        _device_row(policy, f"{name}.device", gpu.device_id),
    ]
    if policy.require_firmware_id:
        expected = "firmware id in report and certificate agree"
        rows.append(
            row(f"{name}.firmware_id", True, expected, "they agree")
            if gpu.firmware_bound
            else unverifiable(f"{name}.firmware_id", expected, "the report carries none")
        )
    return rows + _vendor_rows(policy, gpu, ("driver", "vbios"), name)


def _switch_rows(policy: Policy, switch: SwitchFacts, name: str) -> list[Claim]:
    rows = [
        _one_of(f"{name}.root", policy.gpu_roots, switch.root_sha256),
        _vbios_row(policy, switch, f"{name}.vbios"),
        _device_row(policy, f"{name}.device", switch.device_id),
    ]
    return rows + _vendor_rows(policy, switch, ("vbios",), name)


def _vendor_rows(
    policy: Policy, device: GpuFacts | SwitchFacts, kinds: tuple[str, ...], name: str
) -> list[Claim]:
    """Rows for what the vendor says about a device: reference values and revocation."""
    rows: list[Claim] = []
    if policy.require_reference_values:
        given = {manifest.kind: manifest for manifest in device.manifests}
        for kind in kinds:
            rows += _manifest_rows(policy, kind, given.get(kind), f"{name}.{kind}_manifest")
        expected = "all measurements equal the signed reference values"
        rows.append(
            row(f"{name}.reference_values", True, expected, f"{device.compared_measurements} are equal")
            if all(kind in given for kind in kinds)
            else unverifiable(f"{name}.reference_values", expected, "a manifest is missing")
        )
    if policy.require_revocation:
        for place, role in enumerate(DEVICE_CERTIFICATES):
            rows.append(_revocation_row(policy, device.revocation, place, f"{name}.revocation.{role}"))
    return rows


def _manifest_rows(policy: Policy, kind: str, manifest: ManifestFacts | None, name: str) -> list[Claim]:
    if manifest is None:
        return [unverifiable(name, f"a signed manifest for the {kind}", "none was given")]
    rows = [
        row(name, manifest.sha256 not in policy.denied_manifests, "not on the deny list", manifest.sha256),
        _one_of(f"{name}.root", policy.manifest_roots, manifest.root_sha256),
    ]
    if policy.require_revocation:
        for place, role in enumerate(MANIFEST_CERTIFICATES):
            rows.append(_revocation_row(policy, manifest.revocation, place, f"{name}.revocation.{role}"))
    return rows


def _revocation_row(policy: Policy, facts: tuple[RevocationFact, ...], place: int, name: str) -> Claim:
    """A good answer that is fresh enough; a revoked certificate never gets as far as here."""
    expected = f"good, at most {policy.maximum_revocation_age_s} s ago"
    if place >= len(facts) or facts[place].status == "missing":
        return unverifiable(name, expected, "no answer was given")
    fact = facts[place]
    found = f"{fact.status}, {fact.age_s} s ago: {fact.name}"
    if fact.status == "good" and fact.age_s <= policy.maximum_revocation_age_s:
        return row(name, True, expected, found)
    return unverifiable(name, expected, found)


def _guest_rows(policy: Policy, facts: EvidenceFacts) -> list[Claim]:
    guest = facts.guest
    count = len(facts.gpus)
    rows = [
        compare("guest.environment", _environment(policy.simulated), _environment(guest.simulated)),
        compare("guest.cc_mode", "on", guest.cc_mode),
        compare("guest.devtools", "off", guest.devtools),
        _minimum("guest.worker", policy.minimum_worker, guest.worker),
        row(
            "gpu.count",
            policy.minimum_gpus <= count <= policy.maximum_gpus,
            f"{policy.minimum_gpus} to {policy.maximum_gpus}",
            str(count),
        ),
    ]
    drivers = sorted({gpu.driver for gpu in facts.gpus})
    if drivers:
        rows.append(compare("guest.driver", ", ".join(drivers), guest.driver))
    return rows


def _tcb_row(policy: Policy, cpu: CpuFacts) -> Claim:
    found = f"{cpu.product}: {describe_tcb(cpu.tcb)}"
    minimum = policy.minimum_tcb.get(cpu.product)
    if minimum is None:
        return row("cpu.tcb", False, f"product one of {_list(tuple(policy.minimum_tcb))}", found)
    holds = all(cpu.tcb.get(component, -1) >= version for component, version in minimum.items())
    return row("cpu.tcb", holds, f"at least {cpu.product}: {describe_tcb(minimum)}", found)


def _vbios_row(policy: Policy, gpu: GpuFacts | SwitchFacts, name: str) -> Claim:
    minimum = policy.minimum_vbios.get(gpu.chip)
    if minimum is None:
        return row(
            name, False, f"chip one of {_list(tuple(policy.minimum_vbios))}", f"{gpu.chip} {gpu.vbios}"
        )
    return _minimum(name, minimum, gpu.vbios, base=16)


def _device_row(policy: Policy, name: str, device: str) -> Claim:
    denied = device.lower() in {entry.lower() for entry in policy.denied_devices}
    return row(name, not denied, "not on the deny list", device)


def _minimum(name: str, minimum: str, found: str, base: int = 10) -> Claim:
    return row(name, at_least(found, minimum, base), f"at least {minimum}", found)


def _one_of(name: str, accepted: tuple[str, ...], found: str) -> Claim:
    return row(name, found in accepted, f"one of {_list(accepted)}", found)


def _list(values: tuple[str, ...]) -> str:
    return ", ".join(values) if values else "(nothing is accepted yet)"


def _on_off(flag: bool) -> str:
    return "on" if flag else "off"


def _environment(simulated: bool) -> str:
    return "simulated" if simulated else "genuine"
