"""Every bound and every duration the marketplace enforces, by name. Untrusted input never exceeds these."""

# --- Amounts and shares ---
MAX_AMOUNT = 2**96
"""Largest amount, fee or rate per second anyone may name, in base units."""
BASIS_POINTS = 10_000
MIN_BOND_BASIS_POINTS = 3_000
MAX_PLATFORM_BASIS_POINTS = 3_000
SLASH_DEADLINE_BASIS_POINTS = 500
"""Part of the bond lost when evidence never came or the heartbeat stopped."""
SLASH_RULING_BASIS_POINTS = 10_000
"""Part of the bond lost when the arbiter rules that the work failed."""

# --- Durations (seconds) ---
SECOND_NS = 1_000_000_000
MAX_DURATION_S = 7 * 86_400
MAX_QUEUE_TIMEOUT_S = 14 * 86_400
MAX_REVIEW_WINDOW_S = 30 * 86_400
NONCE_LIFETIME_S = 300
ATTESTATION_TIMEOUT_S = 600
"""From claim to accepted evidence."""
HEARTBEAT_WINDOW_S = 120
"""Longest silence of an attested session before its rental is taken away."""
RULING_WINDOW_S = 30 * 86_400
ATTESTATION_VALIDITY_S = 86_400
OWNER_GRANT_S = 86_400
"""How long a renter's read access to their result lasts after `release_key`."""
TIMER_INTERVAL_S = 10

# --- Attempts ---
MAX_FAILED_ATTEMPTS = 3
MAX_HAND_BACKS = 10
MAX_FRUITLESS_TURNS = 2
FRUITLESS_PAUSE_S = 3_600
"""An operator with so many turns at a rental in this time that ended before evidence was accepted cannot
claim it: else one alone, broken or hostile, could take it until it has failed, which costs nothing.
"""
MAX_KEY_RELEASES = 3
"""How often one session gets the same key."""
MAX_OWNER_KEYS_PER_DAY = 50
"""Keys a principal gets in a day outside rentals; deriving one costs the marketplace 26 G cycles."""
MAX_ALL_OWNERS_KEYS_PER_DAY = 2_000
"""The same for all owners of listings and datasets together, who need no money to have one."""
MAX_CHECKPOINTS = 1_000
MAX_PROGRESS_BATCH = 100
MAX_PROGRESS_POINTS = 20_000

# --- Batches and pages ---
MAX_PAGE = 100
REAP_BATCH = 25
RESUME_BATCH = 5
QUEUE_CELL_SCAN = 64
"""Rentals looked at together in a queue cell that is only partly suitable."""
MAX_QUEUE_SCANS = 64
"""How many times more such rentals are looked at for one answer, over all cells."""

# --- Ledger ---
TRANSFER_PAST_S = 12 * 3_600
"""Oldest `created_at_time` accepted: half of an ICRC ledger's window, so that a resumed call is still
deduplicated.
"""
TRANSFER_FUTURE_S = 60
MAX_UNRESOLVED_SCAN = 1_000
RESUME_AFTER_S = 60
"""A journalled ledger call without an answer is sent again after this."""

# --- Texts, lists, blobs ---
MAX_TITLE_CHARACTERS = 120
MAX_DESCRIPTION_CHARACTERS = 4_000
MAX_BASE_MODEL_CHARACTERS = 200
MAX_HARDWARE_CHARACTERS = 200
MAX_REASON_CHARACTERS = 2_000
MAX_METRICS_BYTES = 16_384
MAX_LOCATION_CHARACTERS = 1_024
MAX_POLICY_NAME_CHARACTERS = 64
MAX_DEVICE_ID_CHARACTERS = 256
MAX_PAYEES = 20
MAX_DATASETS = 8
MAX_POLICIES = 8
MAX_SEALED_IDENTITY_BYTES = 1_024
MAX_ARTIFACT_BYTES = 2**40
MAX_DATASET_ROWS = 10**12
SALT_BYTES = 16
REQUEST_ID_BYTES = 16
SHA256_BYTES = 32
TRANSPORT_KEY_BYTES = 48
ITEM_ID_CHARACTERS = 32
MAX_SHOWN_CHARACTERS = 80
"""How much of a refused value an error repeats."""

# --- Evidence in parts ---
MAX_EVIDENCE_PARTS = 16
MAX_EVIDENCE_PART_BYTES = 65_536
SIGNATURES_PER_STEP = 32
"""Verified in one message of a resumable verification: about 2 G instructions."""
MAX_REMEMBERED_SIGNATURES = 256
"""Of one resumable verification; the largest board needs about 130."""

# --- Collateral ---
MAX_NEW_PIECES = 40
"""Pieces of one call that have to be verified, each of which costs up to five signatures."""
MAX_NEW_MANIFESTS = 8
COLLATERAL_SWEEP = 25
MAX_HELD = {
    "ocsp": 2_048,
    "rims": 512,
    "crls": 64,
    "tcb_infos": 512,
    "qe_identities": 16,
    "certificates": 256,
}
"""Most pieces of each kind; the one posted first makes room. With the largest sizes about 80 MiB."""
WANTED_QUARTERS = 3
"""Most quarters of them that are kept for having been wanted by a machine's evidence."""
MAX_FOUND = 16
"""Pieces that one need of a bundle may find."""

# --- Governance ---
MAX_GOVERNANCE_MEMBERS = 32
DEFAULT_DELAY_S = 86_400
MIN_DELAY_S = 3_600
"""Shorter ones only where simulated evidence is allowed."""
MAX_DELAY_S = 90 * 86_400
APPROVAL_WINDOW_S = 30 * 86_400
EXECUTION_WINDOW_S = 14 * 86_400
MAX_OPEN_PROPOSALS = 32
MAX_POLICY_BYTES = 16_384
MAX_POLICIES_KEPT = 128
MAX_POLICIES_OFFERED = 32

# --- Hyperparameters: (least, most) ---
TASKS = ("text-classification", "causal-lm")
EPOCHS = (1, 100)
LEARNING_RATE = (1e-8, 1.0)
BATCH_SIZE = (1, 1_024)
MAX_LENGTH = (8, 32_768)
LORA_RANK = (1, 512)
LORA_ALPHA = (1, 4_096)
LORA_DROPOUT = (0.0, 0.9)
SEED = (0, 2**63 - 1)
