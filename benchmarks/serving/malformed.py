"""Malformed uploads: damaged, truncated or oversized audio, wrong types, broken multipart bodies, and non-HTTP data."""

import io
import random
import socket
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import soundfile

from benchmarks.serving.load import Clip
from benchmarks.serving.service import Service

FILE_FORMATS = (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"))
HEADER_BYTES = 64
BOMB_S = 8 * 3600  # of silence: a small file that decodes to a large one
BOUNDARY = "part"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

Upload = tuple[bytes, dict[str, str]]
MakeUpload = Callable[[random.Random], Upload]


def upload_makers(speech: np.ndarray, rate_hz: int) -> dict[str, MakeUpload]:
    """Return kind of upload -> function that makes a random one."""
    valid = [encode_audio(speech, rate_hz, *file_format) for file_format in FILE_FORMATS]
    silence = np.zeros(BOMB_S * 8000, np.int16)
    bombs = [
        encode_audio(silence, 8000, "FLAC", "PCM_16"),
        encode_audio(silence[: len(silence) // 8], 8000, "OGG", "OPUS"),
    ]

    def header(rng: random.Random) -> Upload:
        content = bytearray(rng.choice(valid))
        for _ in range(rng.randint(1, 8)):
            content[rng.randrange(HEADER_BYTES)] = rng.randrange(256)
        return bytes(content), {}

    def anywhere(rng: random.Random) -> Upload:
        content = bytearray(rng.choice(valid))
        for _ in range(rng.randint(1, 200)):
            content[rng.randrange(len(content))] = rng.randrange(256)
        return bytes(content), {}

    def truncated(rng: random.Random) -> Upload:
        content = rng.choice(valid)
        return content[: rng.randrange(len(content))], {}

    def noise(rng: random.Random) -> Upload:
        return rng.randbytes(rng.randrange(1, 50_000)), {}

    def magic(rng: random.Random) -> Upload:
        return rng.choice(valid)[: rng.choice((4, 12, 44))] + rng.randbytes(20_000), {}

    def wrong_type(rng: random.Random) -> Upload:
        kind = rng.choice(
            ("application/json", "text/html", "image/png", "application/x-www-form-urlencoded", "x" * 500)
        )
        return b'{"file": "clip.wav"}', {"Content_Type": kind}

    def name(rng: random.Random) -> Upload:
        long = rng.choice(("../" * 20, "a" * 3000, "a" * 100_000, "\\0\\n", "%00", "; rm -rf /", "\u202e")) + "x.wav"
        return part(long, rng.choice(valid)[:2000]), {"Content_Type": MULTIPART}

    def multipart(rng: random.Random) -> Upload:
        content = bytearray(part("clip.wav", rng.choice(valid)[:2000]))
        for _ in range(rng.randint(1, 5)):
            content[rng.randrange(min(len(content), 150))] = rng.randrange(256)
        return bytes(content[: rng.randrange(1, len(content))]), {"Content_Type": MULTIPART}

    def many(rng: random.Random) -> Upload:
        return part("a.wav", b"") * 1000, {"Content_Type": MULTIPART}

    def bomb(rng: random.Random) -> Upload:
        return rng.choice(bombs), {}

    makers = (header, anywhere, truncated, noise, magic, wrong_type, name, multipart, many, bomb)
    return {make.__name__: make for make in makers}


def encode_audio(samples: np.ndarray, rate_hz: int, container: str, subtype: str) -> bytes:
    """Return the content of an audio file."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate_hz, 1, subtype, format=container) as audio:
        for start in range(0, len(samples), rate_hz):  # libsndfile copies each call's samples to the stack
            audio.write(samples[start : start + rate_hz])
    return file.getvalue()


def part(name: str, content: bytes) -> bytes:
    """Return a complete multipart body with one file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode("utf-8", "replace") + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def send_uploads(service: Service, speech: np.ndarray, rate_hz: int, clip: Clip, count: int) -> dict[str, Any]:
    """Send malformed uploads of every kind in turn; return the status counts and the state of the service afterwards.

    Args:
        service: a running service.
        speech: float32 `(samples,)`, from which damaged files are made.
        rate_hz: sample rate of `speech`.
        clip: a valid clip, sent at the end.
        count: number of uploads.
    """
    makers = upload_makers(speech, rate_hz)
    statuses: dict[str, Counter[str]] = {kind: Counter() for kind in (*makers, "not_http")}
    rng = random.Random(0)
    early_mb = service.memory_mb()
    for number in range(count):
        kind = list(makers)[number % len(makers)]
        body, headers = makers[kind](rng)
        statuses[kind][str(service.request("POST", "/v1/recognise", body, **headers)[0])] += 1
        if number % 100 == 0:
            statuses["not_http"][send_random_bytes(service, rng)] += 1
        if number == count // 10:
            early_mb = service.memory_mb()
    late_mb = service.memory_mb()
    totals = sum(statuses.values(), Counter())
    response = service.request("POST", "/v1/recognise?name=clip", clip.content)[2]
    return {
        "uploads": count,
        "statuses": {kind: dict(sorted(counts.items())) for kind, counts in statuses.items()},
        "server_errors": sum(n for status, n in totals.items() if status >= "5" and status != "503"),
        "worker_deaths": service.metric('overtone_worker_deaths_total{pool="clips"}'),
        "correct_afterwards": response["predictions"] == [clip.prediction],
        "memory_mb": {"early": early_mb, "late": late_mb, "growth_percent": 100 * (late_mb / early_mb - 1)},
    }


def send_random_bytes(service: Service, rng: random.Random) -> str:
    """Send random bytes instead of an HTTP request and return the status, or "closed"."""
    with socket.create_connection(("127.0.0.1", service.port), 10) as connection:
        connection.sendall(rng.randbytes(200) + b"\r\n\r\n")
        response = connection.recv(100)
    return response[9:12].decode("latin-1") or "closed"
