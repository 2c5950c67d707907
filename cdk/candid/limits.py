"""Bounds on untrusted Candid messages, so that decoding one costs no more than its size allows."""

MAX_TYPES = 2_000
"""Entries in a message's type table."""

MAX_FIELDS = 20_000
"""Record fields, variant cases, methods and function parameters in a message's type table, together."""

MAX_ARGUMENTS = 256
"""Values in one message."""

MAX_DEPTH = 100
"""Types nested in each other, and levels of a recursive type in one value."""

MAX_ELEMENTS = 1 << 20
"""Elements of all vectors in one message, together; blobs are not counted."""

MAX_EMPTY_ELEMENTS = 10_000
"""Of those, elements that take no bytes on the wire (`vec null`, `vec reserved`, `vec record {}`)."""

MAX_SUBTYPE_STEPS = 100_000
"""Pairs of types compared while one message's types are checked."""

MAX_CACHED_HEADER = 4_096
"""Longest type section (bytes) for which a decoder is kept."""

CACHED_HEADERS = 8
"""Decoders kept for one endpoint, one for each type section its callers send."""
