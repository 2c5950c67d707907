"""The cryptography that evidence needs and Python's standard library lacks: DER, ECDSA and RSA-PSS.

Verification of public data only: nothing here is constant-time, and nothing here may ever touch a secret.
"""
