"""The models that come with the package: name -> path of the file."""

from pathlib import Path

FOLDER = Path(__file__).parents[1] / "bundled"
DEFAULT = "overtone"
NAMES = (DEFAULT, "lite")
"""The accurate model, and a faster one."""


def model_path(model: str | Path | None = None) -> Path:
    """Path of a model file.

    Args:
        model: a name of `NAMES`, the path of a file, or None for the default model. A file takes precedence over a
            model of the same name.
    """
    if model is None:
        model = DEFAULT
    path = Path(model)
    return FOLDER / f"{model}.onnx" if str(model) in NAMES and not path.is_file() else path
