"""The encoding of a text file that a person or another program wrote: UTF-8, or UTF-16 with a byte order mark."""

import codecs

UTF_16 = "utf-16"


def text_encoding(start: bytes) -> str:
    """Return UTF-16 if a file that starts with these bytes has its byte order mark; else UTF-8, also with a mark.

    Args:
        start: at least the first two bytes of the file, if it has so many.
    """
    return UTF_16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def decode_text(content: bytes, otherwise: str = "") -> str:
    """Return the text of a file in UTF-8, or in UTF-16 with a byte order mark.

    Args:
        content: the content of the file.
        otherwise: encoding of content that is neither; "" if it is an error.

    Raises:
        ValueError: it is neither.
    """
    encoding = text_encoding(content)
    try:
        return content.decode(encoding)
    except UnicodeError as error:
        if otherwise and encoding != UTF_16:
            return content.decode(otherwise)
        raise ValueError(f"neither UTF-8 nor UTF-16 ({getattr(error, 'reason', error)}); save it as UTF-8") from error
