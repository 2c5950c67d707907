"""What the vault takes at most. Sizes are in bytes, times in nanoseconds."""

MIB = 1_048_576
GIB = 1_024 * MIB
SECOND = 1_000_000_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR

CHUNK_SIZE = MIB
"""Every chunk but the last has this size: with its envelope it fits one ingress message."""
MAX_BLOB_SIZE = 2 * GIB
OWNER_QUOTA = 4 * GIB
"""What one owner may keep, unfinished uploads included at their full size."""
MIN_CHARGE = 65_536
"""What a blob counts at least towards the quota, so that tiny blobs are bounded in number too."""
TOTAL_CAPACITY = 256 * GIB
"""What all owners may keep together: half of a canister's stable memory."""
UPLOAD_LIFETIME = DAY
"""An upload is dropped if it is not complete this long after it was begun or resumed."""
MAX_GRANT = 400 * DAY
"""How far ahead a read access may end."""
GRANTS_PER_CALL = 100
PAGE = 100
"""Blobs listed by one query at most."""

SWEEP_RECORDS = 100
"""Ended uploads and ended grants that one sweep removes, of each kind."""
SWEEP_CHUNKS = 32
"""Chunks of deleted blobs that one sweep removes."""
SHOWN_VALUE = 80
"""Characters of a refused value that an error repeats."""
