"""Builds canisters written to the Kybra API: CPython modules for the Internet Computer."""
