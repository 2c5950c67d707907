"""The page's assets and their certification; pure, tested without any node."""
