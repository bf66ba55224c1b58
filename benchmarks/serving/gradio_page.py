"""The smallest page that Gradio makes of the library, mounted into an app; run under a Python that has both.

    GRADIO_TEMP_DIR=FOLDER PYTHON benchmarks/serving/gradio_page.py

Says `ready PORT` once it listens. It shows an answer for a clip: no timeline, no stream, no forms.
"""

import socket

import fastapi
import gradio
import uvicorn

import overtone


def main() -> None:
    """Serves until it is killed."""
    recogniser = overtone.load()

    def heard(path: str) -> dict[str, float]:
        answer = recogniser.recognise(path)
        return dict(zip(answer.emotions, answer.probabilities.tolist(), strict=True))

    page = gradio.Interface(heard, gradio.Audio(type="filepath"), gradio.Label())
    app = gradio.mount_gradio_app(fastapi.FastAPI(), page, path="/")
    end = socket.create_server(("127.0.0.1", 0))
    print("ready", end.getsockname()[1], flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="error")).run([end])


if __name__ == "__main__":
    main()
