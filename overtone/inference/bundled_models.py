"""The models that come with the package: name -> path of the file."""

import os
from pathlib import Path

from overtone.errors import OptionError

FOLDER = Path(__file__).parents[1] / "bundled"
DEFAULT = "overtone"
NAMES = (DEFAULT, "lite")
"""The accurate model, and a faster one."""


def model_path(model: str | Path | None = None) -> Path:
    """Path of a model file.

    Args:
        model: a name of `NAMES`, the path of a file, or None for the default model. A file takes precedence over a
            model of the same name.

    Raises:
        OptionError: something else.
    """
    if model is None:
        model = DEFAULT
    if not isinstance(model, str | os.PathLike):
        raise OptionError(f"model: expected the path of a model file or one of {', '.join(NAMES)}, got {model!r}")
    path = Path(model)
    return FOLDER / f"{model}.onnx" if str(model) in NAMES and not path.is_file() else path
