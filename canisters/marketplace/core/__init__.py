"""The marketplace's rules, without any canister: storage, time and caller are arguments."""
