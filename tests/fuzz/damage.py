"""Bytes and texts that were well formed once."""

from __future__ import annotations

from hypothesis import strategies as st

# Lengths, counts and markers on which decoders decide.
TELLING = [b"\x00", b"\xff", b"\x7f", b"\x80", b"\x80\x01", b"\xff" * 8, b"\xff" * 9 + b"\x01", b"\x00" * 40]


@st.composite
def damaged(draw: st.DrawFn, whole: bytes, most: int = 3) -> bytes:
    """`whole` after a few cuts, changed bytes, repetitions and insertions; sometimes unchanged."""
    data = whole
    for _ in range(draw(st.integers(0, most))):
        at = draw(st.integers(0, len(data)))
        until = draw(st.integers(at, min(len(data), at + 40)))
        inserted = draw(
            st.sampled_from(TELLING)
            | st.binary(max_size=8)
            | st.just(data[at:until] * draw(st.integers(1, 3)))
            | st.just(b"")
        )
        data = data[:at] + inserted + data[until:]
        if draw(st.booleans()) and data:
            data = data[: draw(st.integers(0, len(data)))]
    return data


@st.composite
def damaged_text(draw: st.DrawFn, whole: str, words: list[str]) -> str:
    """A text after a few cuts and insertions of `words` or anything else."""
    text = whole
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(text)))
        until = draw(st.integers(at, min(len(text), at + 30)))
        inserted = draw(st.sampled_from(words) | st.text(max_size=6) | st.just(text[at:until] * 2))
        text = text[:at] + inserted + text[until:]
    return text
