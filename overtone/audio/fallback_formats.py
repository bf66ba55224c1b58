"""Finds files whose codec libsndfile does not decode, although it knows their container: PyAV decodes these.

Only the codec decides. A file with a codec of libsndfile that it refuses is damaged, and FFmpeg would decode it as far
as it can: a shorter result. That the file is complete was checked before, by `chunks` and `ogg_pages`.

Source: Microsoft and IBM, Multimedia Programming Interface 1.0, and RFC 2361 (codes of WAV); Microsoft,
WAVEFORMATEXTENSIBLE; Apple, AIFF-C draft and Core Audio Format 1.0; audio(5) of SunOS 4 (AU); RFC 5334 (Ogg).
"""

import re
import struct
from collections.abc import Callable
from typing import BinaryIO

from overtone.audio.ffmpeg_formats import ContainerFormat
from overtone.audio.wav_format import MP3_IN_WAV, PCM, PROBED_BYTES, parse_wav_format

FLOAT, EXTENSIBLE = 0x03, 0xFFFE
# PCM, MS ADPCM, float, A-law, u-law, IMA ADPCM, GSM 6.10, G.721, MP3. FFmpeg writes AMR under the code of NMS ADPCM.
WAV_CODECS = frozenset({PCM, 0x02, FLOAT, 0x06, 0x07, 0x11, 0x31, 0x40, MP3_IN_WAV})
SUBFORMAT_TAILS = (bytes.fromhex("000000001000800000aa00389b71"), bytes.fromhex("000021070ad3118644c8c1ca0000"))
MAX_BITS = {PCM: 32, FLOAT: 64}
AIFF_CODECS = frozenset(
    {b"NONE", b"none", b"sowt", b"twos", b"raw ", b"in24", b"in32", b"42ni", b"23ni", b"fl32", b"FL32", b"fl64"}
    | {b"FL64", b"ulaw", b"ULAW", b"alaw", b"ALAW", b"ima4", b"GSM ", b"DWVW", b"gsm "}
)
CAF_CODECS = frozenset({b"lpcm", b"ulaw", b"alaw"})  # of ALAC, libsndfile decodes only what it has written itself
AU_G722 = 24
WAV = ContainerFormat("WAV", "wav", has_duration=True)
W64 = ContainerFormat("W64", "w64", has_duration=True)
AIFF = ContainerFormat("AIFF", "aiff", has_duration=True)
CAF = ContainerFormat("CAF", "caf", has_duration=True)
AU = ContainerFormat("AU", "au", has_duration=True)
OGG = ContainerFormat("Ogg", "ogg", has_duration=True)


def fallback_format(stream: BinaryIO) -> ContainerFormat | None:
    """Return the format of a file with a codec that only FFmpeg decodes; None for other files.

    Args:
        stream: the file, seekable; its position changes.
    """
    stream.seek(0)
    header = stream.read(PROBED_BYTES)
    found = CONTAINERS.get(header[:4])
    return found[0] if found and found[1](header) else None


def _has_other_wav_codec(header: bytes) -> bool:
    found = parse_wav_format(header)
    if found is None:
        return False
    codec, bits, identifier = found.codec, found.bits, found.identifier
    if codec == EXTENSIBLE:
        if identifier[2:] not in SUBFORMAT_TAILS:
            return len(identifier) == 16
        codec = int.from_bytes(identifier[:2], "little")
    return codec not in WAV_CODECS or bits > MAX_BITS.get(codec, bits)


def _has_other_aiff_codec(header: bytes) -> bool:
    position = header.find(b"COMM", 12)
    return header[8:12] == b"AIFC" and position > 0 and header[position + 26 : position + 30] not in AIFF_CODECS


def _has_other_caf_codec(header: bytes) -> bool:
    return header[8:12] == b"desc" and header[28:32] not in CAF_CODECS


def _has_other_au_codec(header: bytes) -> bool:
    return header[12:16] == struct.pack(">I", AU_G722)


def _has_other_ogg_codec(header: bytes) -> bool:
    return re.match(rb"(?s)OggS\0\x02.{20}\x01.(?:\x7fFLAC|Speex {3})", header) is not None


# The format of a file, and whether its header declares another codec than those of libsndfile, by its first bytes.
CONTAINERS: dict[bytes, tuple[ContainerFormat, Callable[[bytes], bool]]] = {
    **dict.fromkeys((b"RIFF", b"RF64"), (WAV, _has_other_wav_codec)),
    b"riff": (W64, _has_other_wav_codec),
    b"FORM": (AIFF, _has_other_aiff_codec),
    b"caff": (CAF, _has_other_caf_codec),
    b".snd": (AU, _has_other_au_codec),
    b"OggS": (OGG, _has_other_ogg_codec),
}
