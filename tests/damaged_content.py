"""Damaged content of files, for tests that no content gives an unexpected error."""

from hypothesis import strategies as st


@st.composite
def damaged(draw: st.DrawFn, content: bytes, pieces: st.SearchStrategy[bytes], longest: int = 60) -> bytes:
    """Valid content of which up to four parts are replaced, repeated or missing.

    Args:
        draw: by hypothesis.
        content: the valid content.
        pieces: what parts are replaced by, besides random bytes.
        longest: the longest part in bytes.
    """
    for _ in range(draw(st.integers(0, 4))):
        start = draw(st.integers(0, len(content)))
        end = draw(st.integers(start, min(len(content), start + longest)))
        content = content[:start] + draw(pieces | st.binary(max_size=8)) * draw(st.integers(0, 3)) + content[end:]
    return content
