"""Where it goes wrong."""


def fail(word):
    raise ValueError(word)
