"""The ledger's rules and records, free of the canister runtime: time, caller and storage are arguments."""
