"""What a project folder holds for `make results`, made up: predictions by chance, figures of nobody."""

import numpy as np

from overtone.corpora.ravdess import EMOTIONS
from overtone.values import Predictions

README = (
    "# Hi\n<!-- results:start -->\nold\n<!-- results:end -->\nmiddle\n"
    "<!-- rebuilt:start -->\n<!-- rebuilt:end -->\n<!-- bench:start -->\n<!-- bench:end -->\nend\n"
)
BENCH = {
    "machine": {"processor": "Some CPU", "system": "Linux x86_64", "versions": {"python": "3.11.2"}},
    "clips": {"count": 48, "median_s": 3.67},
    "recognise": {"flac": {"overtone_ms": 9.87, "librosa_ms": 321.4, "times_faster": 32.6}},
    "process": {"wall_s": 0.61, "peak_mb": 120.4},
    "import": {"beyond_numpy_s": 0.012},
    "installed": {"overtone": {"total_mb": 130.2}, "librosa": {"total_mb": 480.9}},
}
ADAPTATION = {
    "runs": "luna5-tuned",
    "draws": 5,
    "rows": [{"adapted_to": "3 clips", "uar": 0.71, "uar_low": 0.67, "uar_high": 0.75, "clips": 1440}],
}
ANCHORS = {
    "sections": [
        {
            "protocol": "luna5",
            "title": "Unseen speakers",
            "text": "Five folds.",
            "rows": [
                {"system": "Low", "uar": 10, "uar_low": 9, "uar_high": 11, "source": "Somebody 2020"},
                {"system": "High", "wa": 99.5, "source": "Somebody 2021", "note": "optimistic"},
            ],
        },
        {
            "protocol": "paper",
            "title": "The paper",
            "text": "It leaks.",
            "rows": [{"system": "Late fusion", "part": "fusion", "wa": 90.28, "source": "Govindu"}],
        },
    ]
}
SCALE = {
    "machine": {"processor": "Abacus", "cores": 2, "versions": {"ray": "2.60.0"}},
    "inputs": 7200,
    "audio_hours": 10.0,
    "repeats": 3,
    "seconds": {"1 node": 72.0, "2 nodes": 40.0, "2 nodes, 1 killed": 60.0},
    "speed_up": 1.8,
    "core_hours_per_1000_hours": {"1 node": 2.0, "2 nodes": 2.25},
    "lost": 0,
    "twice": 0,
    "bytes_per_answer": 500.0,
}


def predictions(sharpness: float, clips: int = 16, seeds: int = 1) -> Predictions:
    """Answers of six speakers by chance that lean to the truth."""
    rng = np.random.default_rng(int(10 * sharpness))
    n = 6 * clips * seeds
    place = np.arange(n) % 8
    logits = rng.normal(size=(n, 8)) + sharpness * np.eye(8)[place]
    shares = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 6)
    return Predictions(
        emotions=EMOTIONS,
        path=np.array([f"clip{i % (6 * clips)}" for i in range(n)]),
        speaker=np.array([f"{i % 6:02d}" for i in range(n)]),
        sentence=np.full(n, "1"),
        fold=np.full(n, "1"),
        seed=np.arange(n) // (6 * clips),
        truth=np.array(EMOTIONS)[place],
        probabilities=shares,
    )


PARTS = {"mel": predictions(1.5), "prosody": predictions(0.5), "fusion": predictions(3.0)}


def section(text: str, title: str) -> str:
    """What stands under a heading of the second level."""
    assert f"\n## {title}\n" in text
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
