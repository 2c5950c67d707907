"""NVIDIA GPUs and NVSwitches: report layout, certificates, revocation, reference values, topology.

| what is checked | where | error |
|---|---|---|
| exact lengths, nothing twice, nothing trailing | `spdm.parse_exchange` | `MalformedEvidence` |
| five certificates in their roles, to a root that policy names | `verify.check_roles` | `ChainInvalid` |
| certified firmware id is the reported one | `verify.check_firmware_id` | `EvidenceInconsistent` |
| each certificate and the report are signed | `verify.check_signatures` | `SignatureInvalid` |
| the nonce is ours | `verify.check_nonce` | `BindingMismatch` |
| boot ROM, provisioner, identity not revoked | `revocation`, `ocsp` | `CertificateRevoked` and others |
| manifests are signed, by a chain for this purpose | `rim.verify_manifest` | `ManifestInvalid` |
| manifests are those of the versions in the report | `reference_values.Manifests.find` | `PolicyRefused` |
| every active value equals the measurement | `reference_values.check_measurements` | `MeasurementMismatch` |
| devices are distinct | `topology.check_distinct` | `EvidenceInconsistent` |
| a whole board, links named in both directions | `topology.check_board`, `check_links` | `TopologyInvalid` |
| root, chip, mode, versions, count, age of answers | `attestation.policy_evaluation` | `PolicyRefused` |

Manifests are verified where the evidence is, in the canister too: the reader of `xml` accepts so little of
XML that its canonical form is exact, and signatures found good are remembered, so that a manifest costs its
verification once. A pin by digest would need a governance decision for each driver; it remains possible the
other way round, as `Policy.denied_manifests`.

Deliberately not checked: revocation of OCSP responders (their certificates say so: id-pkix-ocsp-nocheck), and
the counters and remaining opaque fields of reports. NVIDIA's verifier skips measurement 35 when a decoder is
off; here it is compared like any other, which refuses at worst.
"""
