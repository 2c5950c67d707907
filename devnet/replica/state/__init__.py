"""Keeps a subnet's state in a folder."""
