"""The encoding of a text file that a person or another program wrote: UTF-8, or UTF-16 with a byte order mark."""

import codecs
import re

UTF_16 = "utf-16"
LINE_END = re.compile(r"\r*\n|\r")  # "\r\r\n": a conversion that was done twice
MARK_AT_LINE_START = re.compile("(?:^|(?<=[\r\n]))\ufeff+")  # files that were joined have several
NOT_LATIN_1 = re.compile("[\x80-\x9f]")  # control characters, which are letters and quotes in other encodings


def text_encoding(start: bytes) -> str:
    """Return UTF-16 if a file that starts with these bytes has its byte order mark; else UTF-8, also with a mark.

    Args:
        start: at least the first two bytes of the file, if it has so many.
    """
    return UTF_16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def decode_text(content: bytes, otherwise: str = "") -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark; without the marks of joined files.

    Args:
        content: the content of the file.
        otherwise: encoding of content that is neither; "" if it is an error.

    Raises:
        ValueError: it is neither, or has null characters: it is UTF-16 without a mark, UTF-32, or no text.
    """
    encoding = text_encoding(content)
    try:
        text = content.decode(encoding)
    except UnicodeError as error:
        text = content.decode(otherwise) if otherwise and encoding != UTF_16 else ""
        if not text or NOT_LATIN_1.search(text):
            reason = getattr(error, "reason", error)
            raise ValueError(f"neither UTF-8 nor UTF-16 ({reason}); save it as UTF-8") from error
    if "\0" in text:
        raise ValueError("has null characters: not text, or UTF-16 without a byte order mark; save it as UTF-8")
    return MARK_AT_LINE_START.sub("", text)


def split_lines(text: str) -> list[str]:
    """Return the lines of a text without their ends; a line separator of Unicode (U+2028) or a form feed ends none.

    Unlike `str.splitlines`, whose line ends occur within JSON texts, names and words.
    """
    lines = LINE_END.split(text)
    return lines if lines[-1] else lines[:-1]
