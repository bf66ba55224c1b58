"""Fingerprints of source code, so that results computed by other code are not reused."""

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).parent.parent
DIGITS = 16
# The code that turns an audio file into the features that all networks share. Other modules of `audio` do not affect
# features, and those of `features` that are not listed compute contours that only some recipes name.
FEATURES = (
    "audio/byte_streams.py",
    "audio/chunks.py",
    "audio/consecutive.py",
    "audio/containers.py",
    "audio/decode.py",
    "audio/downmix.py",
    "audio/flac.py",
    "audio/frames.py",
    "audio/mp3.py",
    "audio/source.py",
    "channels.py",
    "features/__init__.py",
    "features/active_span.py",
    "features/augment.py",
    "features/background_noise.py",
    "features/channel_effects.py",
    "features/front_end.py",
    "features/high_pass.py",
    "features/loudness.py",
    "features/mel.py",
    "features/pitch.py",
    "features/spectrum.py",
    "features/speech_rate.py",
    "features/tempo.py",
    "features/whisper_mel.py",
)


def fingerprint(*parts: str, more: str = "") -> str:
    """Return hexadecimal digits that change with the content and the names of source files.

    Args:
        parts: modules and folders of the package, such as "features" or "training/loop.py"; a folder includes all
            Python files in it and its subfolders. A file outside the package has an absolute path, of which the name
            alone counts.
        more: further text that the fingerprint depends on.

    Raises:
        FileNotFoundError: a part does not exist, or is a folder without Python files.
    """
    digest = hashlib.sha256(repr(more).encode())
    for part in parts:
        for name, file in _source_files(part):
            digest.update(f"\n{name} {hashlib.sha256(file.read_bytes()).hexdigest()}".encode())
    return digest.hexdigest()[:DIGITS]


def file_digest(path: Path) -> str:
    """Return hexadecimal digits that change with the content of a file; "" if it cannot be read."""
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return ""


def _source_files(part: str) -> list[tuple[str, Path]]:
    """Return the name, relative to the package, and the path of every file of a part, sorted by name."""
    path = PACKAGE / part
    files = [path] if path.suffix == ".py" else list(path.rglob("*.py"))
    # A renamed module must fail here: if it were left out silently, its changes would never be detected again.
    if not files or not all(file.is_file() for file in files):
        raise FileNotFoundError(f"fingerprint: no source file or folder '{part}' in {PACKAGE}")
    inside = path.is_relative_to(PACKAGE)
    return sorted((file.relative_to(PACKAGE).as_posix() if inside else file.name, file) for file in files)
