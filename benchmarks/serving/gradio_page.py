"""A minimal Gradio page for the library, mounted into an app; runs with a Python interpreter that has both packages.

    GRADIO_TEMP_DIR=FOLDER PYTHON benchmarks/serving/gradio_page.py

Prints `ready PORT` once it listens. It shows the prediction for a clip: no timeline, no streaming, no other formats.
"""

import socket

import fastapi
import gradio
import uvicorn

import overtone


def main() -> None:
    """Serve until the process is killed."""
    recogniser = overtone.load()

    def recognise(path: str) -> dict[str, float]:
        prediction = recogniser.recognise(path)
        return dict(zip(prediction.emotions, prediction.probabilities.tolist(), strict=True))

    page = gradio.Interface(recognise, gradio.Audio(type="filepath"), gradio.Label())
    app = gradio.mount_gradio_app(fastapi.FastAPI(), page, path="/")
    listener = socket.create_server(("127.0.0.1", 0))
    print("ready", listener.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run([listener])


if __name__ == "__main__":
    main()
