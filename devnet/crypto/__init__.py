"""The node's cryptography: BLS, request signatures, hash trees, vetKD, and the keys in the state folder."""
