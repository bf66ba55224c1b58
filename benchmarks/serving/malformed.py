"""Uploads that are no sounds, or worse: does anything but a clear refusal come of them?"""

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

KINDS_OF_FILE = (("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"))
HEADER_BYTES = 64
BOMB_S = 8 * 3600
BOUNDARY = "part"
FORM = f"multipart/form-data; boundary={BOUNDARY}"

Upload = tuple[bytes, dict[str, str]]
Make = Callable[[random.Random], Upload]


def kinds(speech: np.ndarray, rate_hz: int) -> dict[str, Make]:
    """Kinds of uploads, each made with chance."""
    whole = [encoded(speech, rate_hz, *kind) for kind in KINDS_OF_FILE]
    silence = np.zeros(BOMB_S * 8000, np.int16)
    bombs = [encoded(silence, 8000, "FLAC", "PCM_16"), encoded(silence[: len(silence) // 8], 8000, "OGG", "OPUS")]

    def header(chance: random.Random) -> Upload:
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(HEADER_BYTES)] = chance.randrange(256)
        return bytes(content), {}

    def anywhere(chance: random.Random) -> Upload:
        content = bytearray(chance.choice(whole))
        for _ in range(chance.randint(1, 200)):
            content[chance.randrange(len(content))] = chance.randrange(256)
        return bytes(content), {}

    def truncated(chance: random.Random) -> Upload:
        content = chance.choice(whole)
        return content[: chance.randrange(len(content))], {}

    def noise(chance: random.Random) -> Upload:
        return chance.randbytes(chance.randrange(1, 50_000)), {}

    def magic(chance: random.Random) -> Upload:
        return chance.choice(whole)[: chance.choice((4, 12, 44))] + chance.randbytes(20_000), {}

    def wrong_type(chance: random.Random) -> Upload:
        kind = chance.choice(
            ("application/json", "text/html", "image/png", "application/x-www-form-urlencoded", "x" * 500)
        )
        return b'{"file": "clip.wav"}', {"Content_Type": kind}

    def name(chance: random.Random) -> Upload:
        long = chance.choice(("../" * 20, "a" * 3000, "a" * 100_000, "\\0\\n", "%00", "; rm -rf /", "\u202e")) + "x.wav"
        return part(long, chance.choice(whole)[:2000]), {"Content_Type": FORM}

    def multipart(chance: random.Random) -> Upload:
        content = bytearray(part("clip.wav", chance.choice(whole)[:2000]))
        for _ in range(chance.randint(1, 5)):
            content[chance.randrange(min(len(content), 150))] = chance.randrange(256)
        return bytes(content[: chance.randrange(1, len(content))]), {"Content_Type": FORM}

    def many(chance: random.Random) -> Upload:
        return part("a.wav", b"") * 1000, {"Content_Type": FORM}

    def bomb(chance: random.Random) -> Upload:
        return chance.choice(bombs), {}

    makers = (header, anywhere, truncated, noise, magic, wrong_type, name, multipart, many, bomb)
    return {make.__name__: make for make in makers}


def encoded(samples: np.ndarray, rate_hz: int, form: str, depth: str) -> bytes:
    """The content of a sound file."""
    file = io.BytesIO()
    with soundfile.SoundFile(file, "w", rate_hz, 1, depth, format=form) as sound:
        for start in range(0, len(samples), rate_hz):  # libsndfile keeps what it is given on the stack
            sound.write(samples[start : start + rate_hz])
    return file.getvalue()


def part(name: str, content: bytes) -> bytes:
    """A whole multipart body of one file."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    return head.encode("utf-8", "replace") + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def uploads(service: Service, speech: np.ndarray, rate_hz: int, clip: Clip, count: int) -> dict[str, Any]:
    """Sends so many, by turns of each kind; counts by status, and how the service is afterwards."""
    makers = kinds(speech, rate_hz)
    statuses: dict[str, Counter[str]] = {kind: Counter() for kind in (*makers, "no http")}
    chance = random.Random(0)
    warm = count // 10
    early_mb = service.memory_mb()
    for number in range(count):
        kind = list(makers)[number % len(makers)]
        body, headers = makers[kind](chance)
        statuses[kind][str(service.ask("POST", "/v1/recognise", body, **headers)[0])] += 1
        if number % 100 == 0:
            statuses["no http"][no_http(service, chance)] += 1
        if number == warm:
            early_mb = service.memory_mb()
    late_mb = service.memory_mb()
    all_statuses = sum(statuses.values(), Counter())
    return {
        "uploads": count,
        "statuses": {kind: dict(sorted(counts.items())) for kind, counts in statuses.items()},
        "server_errors": sum(n for status, n in all_statuses.items() if status >= "5" and status != "503"),
        "worker_deaths": service.gauge('overtone_worker_deaths{of="clips"}'),
        "right_afterwards": service.ask("POST", "/v1/recognise?name=clip", clip.content)[2]["answers"] == [clip.answer],
        "memory_mb": {"early": early_mb, "late": late_mb, "growth_percent": 100 * (late_mb / early_mb - 1)},
    }


def no_http(service: Service, chance: random.Random) -> str:
    """The status of what is not even HTTP."""
    with socket.create_connection(("127.0.0.1", service.port), 10) as wire:
        wire.sendall(chance.randbytes(200) + b"\r\n\r\n")
        answer = wire.recv(100)
    return answer[9:12].decode("latin-1") or "closed"
