"""Descriptions of canisters that exist on every network."""
