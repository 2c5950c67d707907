"""The embedded Internet Computer node for development and tests."""
