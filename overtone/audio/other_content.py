"""Recognises files that are no audio by their content, and says what to do with them instead.

People give files of speaker turns, tables, documents and archives as recordings. A decoder only finds that these are
damaged; some of the text may even look like a frame of MP3.
"""

import codecs
import re
from typing import BinaryIO

from overtone._internal.text_encoding import text_encoding
from overtone.audio.byte_streams import SplicedStream
from overtone.audio.chunks import match_start
from overtone.errors import AudioError

PROBED_BYTES = 4096
MIN_ASCII = 0.7  # share of the characters of a text that is not in UTF-8
TURNS = (
    "contains speaker turns ({}), not audio; give it together with its recording: as --turns of overtone timeline, as "
    "the field turns of a request, or by dropping both on the web page"
)
TABLE = (
    "is a table, not audio; if it lists recordings, give it to overtone batch; if it lists speaker turns, give it "
    "together with its recording"
)
DOCUMENT = "is a document ({}), not audio; give the recording itself"
PICTURE = "is a picture, not audio; give the recording itself"
ARCHIVE = "is an archive ({}), not audio; unpack it, and give the recordings in it"
TEXT = "not a readable audio file: it contains text; give the recording itself"
RESOURCE_FORK = (
    "contains only the attributes that macOS stores for another file, not audio; give the file without ._ in its name"
)
PLACEHOLDER = "is a placeholder for a file that is elsewhere, not audio; download the recording itself ({})"
SILK = "is a SILK recording, as messengers make, which FFmpeg does not decode either; convert it with a SILK decoder"
MIDI = "contains notes (MIDI), not audio; give a recording"
# What binary files start with. Office documents are ZIP archives, see `OFFICE`.
SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", DOCUMENT.format("PDF")),
    (b"{\\rtf", DOCUMENT.format("RTF")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", DOCUMENT.format("Microsoft Office")),
    (b"ooBinaryFile\x08TextGrid", TURNS.format("TextGrid")),
    (b"\x89PNG\r\n\x1a\n", PICTURE),
    (b"GIF8", PICTURE),
    (b"\xff\xd8\xff", PICTURE),
    (b"PAR1", TABLE),
    (b"Rar!\x1a\x07", ARCHIVE.format("RAR")),
    (b"7z\xbc\xaf\x27\x1c", ARCHIVE.format("7z")),
    (b"\x1f\x8b\x08", ARCHIVE.format("gzip")),
    (b"BZh", ARCHIVE.format("bzip2")),
    (b"\xfd7zXZ\x00", ARCHIVE.format("xz")),
    (b"\x28\xb5\x2f\xfd", ARCHIVE.format("Zstandard")),
    (b"#!SILK_V3", SILK),
    (b"\x02#!SILK_V3", SILK),
    (b"MThd", MIDI),
    (b"\x00\x05\x16\x07", RESOURCE_FORK),
    (b"\x00\x05\x16\x00", RESOURCE_FORK),
    (b"bplist00", PLACEHOLDER.format("from iCloud")),
    (b"version https://git-lfs.github.com/spec/", PLACEHOLDER.format("git lfs pull")),
    (b"/annex/objects/", PLACEHOLDER.format("git annex get")),
)
ZEROS = "contains zeros in place of audio, as an interrupted copy or download does; copy it again"
LEADING = "starts with {} bytes of other content in front of its audio; remove them, or download it again"
MANGLED = "is audio that was converted as if it were text, which cannot be undone; copy it again in binary mode"
REPLACEMENT = "\ufffd".encode()
MIN_REPLACEMENTS = 0.05  # of the bytes, each with 3: far more than by chance
ZIP = b"PK\x03\x04"
OFFICE = re.compile(rb"\[Content_Types\]\.xml|mimetypeapplication/vnd\.oasis\.opendocument|(?:word|xl|ppt)/\w+\.xml")
RECORDING = re.compile(rb"(?s)(?:RIFF|RF64).{4}WAVEfmt |FORM.{4}AIF[FC]COMM")  # what else is part of other formats
START, END, FILE = r"\b(?:start|begin|onset)\w*", r"\b(?:end|stop|offset|dur)\w*", r"\b(?:path|file|audio|wav)\w*"
# What texts look like, in this order; the first pattern that is found decides. None of them may backtrack through all
# ways of reading a text: strangers send them.
TEXTS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.MULTILINE | re.IGNORECASE), advice)
    for pattern, advice in (
        (r"\A\s*<[\s\S]*?<ANNOTATION_DOCUMENT\b|\A\s*<ANNOTATION_DOCUMENT\b", TURNS.format("ELAN")),
        (r'\A\s*File type = "ooTextFile[\s\S]*?"TextGrid"|\A\s*"ooTextFile"\s+"TextGrid"', TURNS.format("TextGrid")),
        (r'\A\s*"Praat chronological TextGrid text file"', TURNS.format("TextGrid")),
        (r"\AWEBVTT\b", TURNS.format("WebVTT")),
        (r"\A\s*\d+\s*\n\d+:\d\d:\d\d[,.]\d+\s+-->", TURNS.format("SRT")),
        (r"\A(?:;;.*\n|SPKR-INFO .*\n|[ \t\r]*\n)*SPEAKER[ \t]+\S+[ \t]+\S", TURNS.format("RTTM")),
        (r"\A\s*-?\d+[.,]\d+\t-?\d+[.,]\d+(?:\t|\s*$)", TURNS.format("label track of Audacity")),
        (r"\A\s*<(?:!doctype html|html)\b", DOCUMENT.format("HTML")),
        (r"\A\s*<[?!a-z]", DOCUMENT.format("XML")),
        (rf'\A\s*[\[{{](?=[\s\S]*"{START}"\s*:)(?=[\s\S]*"{END}"\s*:)', TURNS.format("JSON")),
        (rf'\A\s*[\[{{][\s\S]*"{FILE}"\s*:', TABLE),
        (rf"\A(?![^\n]*{FILE})(?=[^\n]*{START})(?=[^\n]*{END})[^\n]*[,;\t|]", TURNS.format("table")),
        (rf'\A\s*"?{FILE}"?\s*(?:[,;\t|\n]|\Z)', TABLE),
        (r"\A[^\n,;\t|]+[,;\t|][^\n]*\n(?:[^\n,;\t|]*[,;\t|][^\n]*(?:\n|\Z))+\Z", TABLE),
    )
)


def check_no_other_content(stream: BinaryIO | SplicedStream, name: str) -> None:
    """Check that a file does not start as one without audio; its position is 0 afterwards.

    Args:
        stream: the file, seekable.
        name: its name, for messages.

    Raises:
        AudioError: it contains speaker turns, a table, a document, a picture, an archive or another text.
    """
    stream.seek(0)
    head = stream.read(PROBED_BYTES) or b""
    stream.seek(0)
    advice = find_advice(head)
    if advice:
        raise AudioError(f"{name}: {advice}")


def find_advice(head: bytes) -> str:
    """Return what a file without audio is and what to do with it; "" if it may be audio.

    Args:
        head: the start of the file.
    """
    for signature, advice in SIGNATURES:
        if head.startswith(signature):
            return advice
    if head.startswith(ZIP):
        return DOCUMENT.format("Office") if OFFICE.search(head) else ARCHIVE.format("ZIP")
    if head[257:262] == b"ustar":
        return ARCHIVE.format("tar")
    if head and not head.strip(b"\0"):
        return ZEROS
    start = RECORDING.search(head)
    if start and not match_start(head):
        return LEADING.format(start.start())
    text = _to_text(head)
    if not text.strip():
        return MANGLED if head.count(REPLACEMENT) > MIN_REPLACEMENTS * len(head) else ""
    complete = text if len(head) < PROBED_BYTES else text[: text.rfind("\n") + 1] or text
    return next((advice for pattern, advice in TEXTS if pattern.search(complete)), TEXT)


def _to_text(head: bytes) -> str:
    """Return the start of a text file in Unicode or an older encoding; "" if it has characters that no text has."""
    encoding = text_encoding(head)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head)  # the last character may be incomplete
    except UnicodeError:
        encoding, text = "latin-1", head.decode("latin-1")
    if encoding != "utf-8-sig" and sum(char.isascii() for char in text) < MIN_ASCII * len(text):
        return ""  # two bytes of a frame of MPEG audio are a byte order mark, too
    return text if all(char.isprintable() or char in "\t\r\n\f\ufeff" for char in text) else ""
