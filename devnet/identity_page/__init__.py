"""A development Internet Identity at `http://id.ai.localhost:<port>/authorize`.

It speaks what applications expect (ICRC-25, ICRC-29, ICRC-34, ICRC-95 over `postMessage`), and holds its
identities itself, without passkeys: for local networks only.
"""
