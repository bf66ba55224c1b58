"""Files that are no audio are refused with the advice for their kind, whatever their names are."""

import io
import json
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from audio_files import encoded
from synthetic_audio import RATE_HZ, speech_like
from timelines import turns_timeline

from overtone.audio.decode import read
from overtone.audio.other_content import (
    ARCHIVE,
    DOCUMENT,
    LEADING,
    MANGLED,
    MIDI,
    PICTURE,
    PLACEHOLDER,
    RESOURCE_FORK,
    SILK,
    TABLE,
    TURNS,
    ZEROS,
    find_advice,
)
from overtone.errors import AudioError
from overtone.formats import write_timeline


def archive(*names: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as file:
        for name in names:
            file.writestr(name, "text")
    return content.getvalue()


RTTM = "SPEAKER call 2 1 0.50 2.25 <NA> <NA> anna <NA> <NA>\n"
WORDS = json.dumps({"text": "well", "segments": [{"id": 0, "start": 0.0, "end": 1.5, "text": "well"}]})
WAV = encoded(speech_like(np.random.default_rng(0), 1.0), RATE_HZ)
NOISE = encoded(np.random.default_rng(0).normal(0, 0.1, RATE_HZ), RATE_HZ)
CASES = {
    "rttm": (RTTM, TURNS.format("RTTM")),
    "rttm with comment": (f";; from a diarisation\n{RTTM}", TURNS.format("RTTM")),
    "srt": ("\ufeff1\r\n00:00:01,000 --> 00:00:02,000\r\nyes\r\n", TURNS.format("SRT")),
    "webvtt": ("WEBVTT\n\n00:01.000 --> 00:02.000\nyes\n", TURNS.format("WebVTT")),
    "whisper": (WORDS, TURNS.format("JSON")),
    "json lines": ('{"start": 0.5, "end": 1.5}\n{"start": 2.5, "end": 3.5}\n', TURNS.format("JSON")),
    "table of turns": ("start_s;end_s;speaker\n0,5;1,5;anna\n", TURNS.format("table")),
    "labels": ("0.500000\t1.500000\tanna\n", TURNS.format("label track of Audacity")),
    "manifest": ("path,emotion\nclips/a.wav,happy\nclips/b.wav,sad\n", TABLE),
    "list of files": ("Path\nclips/a.wav\nclips/b.wav\n", TABLE),
    "manifest of intervals": ("file,start,end\na.wav,0,1\n", TABLE),
    "manifest in an old encoding": ("path,speaker\na.wav,Jürgen\nb.wav,Zoë\n".encode("latin-1"), TABLE),
    "manifest as json lines": ('{"audio_filepath": "a.wav", "label": "happy"}\n', TABLE),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", DOCUMENT.format("PDF")),
    "docx": (archive("[Content_Types].xml", "word/document.xml"), DOCUMENT.format("Office")),
    "odt": (
        archive("mimetype").replace(b"text", b"application/vnd.oasis.opendocument.text"),
        DOCUMENT.format("Office"),
    ),
    "zip": (archive("a.wav"), ARCHIVE.format("ZIP")),
    "html": ("<!DOCTYPE html>\n<title>404</title>\n", DOCUMENT.format("HTML")),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(40), PICTURE),
    "SILK": (b"#!SILK_V3" + bytes(range(99)), SILK),
    "SILK of WeChat": (b"\x02#!SILK_V3" + bytes(range(99)), SILK),
    "MIDI": (b"MThd\0\0\0\x06\0\x01\0\x02\x01\xe0MTrk", MIDI),
    "zeros in front": (bytes(10_000) + WAV, ZEROS),
    "bzip2": (b"BZh91AY&SY", ARCHIVE.format("bzip2")),
    "xz": (b"\xfd7zXZ\x00\x00", ARCHIVE.format("xz")),
    "zstd": (b"\x28\xb5\x2f\xfd\x04", ARCHIVE.format("Zstandard")),
    "attributes of macOS": (b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        ", RESOURCE_FORK),
    "iCloud": (b"bplist00\xd4\x01\x02", PLACEHOLDER.format("from iCloud")),
    "Git LFS": (
        "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n",
        PLACEHOLDER.format("git lfs pull"),
    ),
    "git-annex": ("/annex/objects/SHA256E-s5--ab.wav\n", PLACEHOLDER.format("git annex get")),
    "zeros": (bytes(10_000), ZEROS),
    "upload form": (b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n' + WAV, LEADING.format(52)),
    "MacBinary": (b"\x00\x05a.wav" + bytes(121) + WAV, LEADING.format(128)),
    "converted as text": (NOISE.decode("utf-8", "replace").encode(), MANGLED),
    "notes": ("Interview with A., 3 May.\nShe laughs.\n", "not a readable audio file: it contains text"),
    "utf-16": ("Notizen über das Gespräch\n".encode("utf-16"), "not a readable audio file: it contains text"),
}


@pytest.mark.parametrize("kind", CASES)
def test_the_content_decides(kind: str, tmp_path: Path) -> None:
    content, advice = CASES[kind]
    content = content.encode() if isinstance(content, str) else content
    path = tmp_path / "recording.wav"
    path.write_bytes(content)
    for source, name in ((path, str(path)), (content, "audio in memory")):
        with pytest.raises(AudioError) as raised:
            read(source)
        assert str(raised.value).startswith(f"{name}: ")
        assert advice in str(raised.value)


@pytest.mark.parametrize("name", ["textgrid", "elan", "webvtt", "audacity", "csv", "json", "jsonl", "whisperx"])
def test_the_timelines_that_overtone_writes_are_speaker_turns(name: str) -> None:
    content = io.BytesIO()
    stream = io.TextIOWrapper(content, "utf-8", newline="")
    write_timeline(turns_timeline("Anna", "Ben"), stream, name)
    stream.flush()
    advice = find_advice(content.getvalue())
    assert "together with its recording" in advice, advice


def test_audio_is_not_mistaken() -> None:
    speech = speech_like(np.random.default_rng(3), 1.0)
    subtypes = {"OGG": "VORBIS", "MP3": "MPEG_LAYER_III"}
    for name in ("WAV", "FLAC", "OGG", "MP3", "AIFF", "AU", "CAF", "W64", "RF64"):
        assert not find_advice(encoded(speech, RATE_HZ, name, subtypes.get(name, "PCM_16"))[:4096]), name
    assert not find_advice(b"")
    rng = np.random.default_rng(4)
    assert not any(find_advice(rng.bytes(4096)) for _ in range(300))
    assert not any(find_advice(b"\xff\xfe" + rng.bytes(4094)) for _ in range(300)), "a frame of MPEG audio"


@pytest.mark.parametrize(
    "unit", ["\n", " \n", "\t", "<!---->", "<?x?>", "start,", "1 1 ", "{", '"start":', "a,\n", ";;\n", "1.0\t"]
)
def test_no_text_takes_long(unit: str) -> None:
    """No pattern backtracks through all ways of reading a text."""
    for begin in ("", "SPEAKER ", "<", "[", "{", "start;", "1\n", 'File type = "ooTextFile'):
        started_s = time.perf_counter()
        find_advice((begin + unit * (4096 // len(unit))).encode()[:4090] + b"x")
        assert time.perf_counter() - started_s < 2, begin
