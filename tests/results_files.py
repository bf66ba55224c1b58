"""Synthetic content of `results/` for tests of `tools.report`: random predictions, invented measurements."""

from typing import Any

import numpy as np

from overtone.corpora.ravdess import EMOTIONS
from overtone.datatypes import OofPredictions


def system(title: str, ms: float, relative_time: float) -> dict[str, Any]:
    """Return a row of `results/bench.json`."""
    return {
        **{"title": title, "output": "prediction", "ms": ms, "times_real_time": 3670 / ms},
        **{"seconds_per_hour": 3600 * ms / 3670, "relative_time": relative_time, "cpu_share": 1.0, "cold_s": 0.5},
        **{"peak_mb": 120.0, "packages_mb": 150.0, "model_mb": 0.0},
    }


README = (
    "# Hi\n<!-- unseen-corpora:start -->\n<!-- unseen-corpora:end -->\n"
    "<!-- results:start -->\nold\n<!-- results:end -->\nmiddle\n<!-- bench:start -->\n<!-- bench:end -->\nend\n"
)
BENCH = {
    "machine": {"processor": "Some CPU", "system": "Linux x86_64", "versions": {"python": "3.11.2"}},
    "clips": {"count": 48, "median_s": 3.67},
    "systems": {
        "overtone": system("Overtone, clip by clip", 9.87, 1.0),
        "overtone-list": system("Overtone, a list of clips", 7.9, 0.8),
        "lite": system("Overtone, model lite", 4.9, 0.5),
        "librosa": system("librosa", 321.4, 32.6) | {"output": "features"},
        "wav2vec2-base-torch": system("wav2vec2-base, torch", 400.0, 40.0),
        "wav2vec2-base-onnx": system("wav2vec2-base, onnxruntime", 160.0, 16.0) | {"model_mb": 380.0},
        "egemaps-svm": {"title": "eGeMAPS", "output": "prediction", "skipped": "not installed: opensmile"},
    },
    "lower_bound": {
        **{"decode_ms": 0.5, "resample_ms": 0.5, "arithmetic_ms": 4.0, "total_ms": 5.0},
        **{"operations": 4e8, "gemm_per_s": 1e11},
    },
    "process": {"wall_s": 0.61, "peak_mb": 120.4},
    "import": {"beyond_numpy_s": 0.012},
}
TIMELINE = {
    "machine": BENCH["machine"] | {"cores": 2, "cores_used": 2},
    "recordings": [
        {
            **{"hours": 1.0, "format": "FLAC", "rate_hz": 48_000, "segments": 900, "speech_share": 0.44},
            **{"wall_s": 14.4, "cpu_s": 28.0, "peak_mb": 401.0},
        }
    ],
    "stream": {
        **{"audio_s": 300.0, "rate_hz": 48_000, "push_ms": 100, "predictions": 180, "core_share": 0.012},
        **{"latency_ms_median": 120.0, "latency_ms_max": 250.0, "computing_ms_median": 20.0, "push_ms_max": 150.0},
    },
}
BATCH = {
    "machine": {"processor": "Some CPU", "system": "Linux x86_64", "cores_used": 4, "versions": {"python": "3.11.2"}},
    "files": 1000,
    "predictions": 950,
    "failures": {"empty": 30, "missing": 20},
    "repeats": 3,
    "seconds": {"1 process": 12.0, "4 processes": 4.0},
    "speed_up": 3.0,
}
ADAPTATION = {
    "runs": "luna5-overtone",
    "random_subsets": 5,
    "rows": [{"adapted_to": "3 clips", "uar": 0.71, "uar_low": 0.67, "uar_high": 0.75, "clips": 1440}],
}
PUBLISHED = {
    "sections": [
        {
            "protocol": "luna5",
            "title": "Unseen speakers",
            "text": "Five folds.",
            "rows": [
                {"system": "Low", "uar": 10, "uar_low": 9, "uar_high": 11, "source": "Author 2020"},
                {"system": "High", "wa": 99.5, "source": "Author 2021", "note": "optimistic"},
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
    "duplicated": 0,
    "bytes_per_prediction": 500.0,
}


def predictions(sharpness: float, clips: int = 16, seeds: int = 1) -> OofPredictions:
    """Return random predictions for clips of six speakers.

    Args:
        sharpness: how much the true emotion is favoured; 0 for chance.
        clips: number of clips per speaker.
        seeds: number of random seeds.
    """
    rng = np.random.default_rng(int(10 * sharpness))
    n = 6 * clips * seeds
    place = np.arange(n) % 8
    logits = rng.normal(size=(n, 8)) + sharpness * np.eye(8)[place]
    shares = np.round(np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), 6)
    return OofPredictions(
        emotions=EMOTIONS,
        path=np.array([f"clip{i % (6 * clips)}" for i in range(n)]),
        corpus=np.full(n, ""),
        speaker=np.array([f"{i % 6:02d}" for i in range(n)]),
        sentence=np.full(n, "1"),
        fold=np.full(n, "1"),
        seed=np.arange(n) // (6 * clips),
        truth=np.array(EMOTIONS)[place],
        probabilities=shares,
    )


def unseen_corpora(sharpness: float, names: tuple[str, ...] = ("emodb", "ased")) -> OofPredictions:
    """Return random predictions for corpora that are one fold each; every further corpus is harder to recognise."""
    tables = [predictions(sharpness / (k + 1), clips=8) for k in range(len(names))]
    columns = {
        field: np.concatenate([getattr(table, field) for table in tables])
        for field in vars(tables[0])
        if field != "emotions"
    }
    corpus = np.repeat(names, [len(table) for table in tables])
    return OofPredictions(EMOTIONS, **columns | {"corpus": corpus, "fold": corpus})


PARTS = {"mel": predictions(1.5), "prosody": predictions(0.5), "fusion": predictions(3.0)}


def section(text: str, title: str) -> str:
    """Return the text below a heading of the second level."""
    assert f"\n## {title}\n" in text
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


SERVE = {
    "machine": {"processor": "x", "cores": 2, "system": "Linux", "versions": {"python": "3.11.7"}},
    "start": {"seconds": {"max": 0.9}},
    "recognise": {"clients": 16, "clip_s": 3.5, "correct_per_second": 166.2, "ms": {"p50": 90.0, "p99": 116.5}},
    "overload": {
        "minutes": 30,
        "requests_per_second": 330.0,
        "responses": {"correct": 300, "rejected with Retry-After": 200},
        "alive": True,
        "worker_deaths": 0.0,
        "memory_mb": {"growth_percent": 1.5},
    },
    "streams": {"streams": 50, "complete_timelines": 50, "lag_ms": {"max": 25.7}, "cores_used": 0.68},
    "kill": {"jobs": 200, "done": 200, "failed": 0, "finished_twice": 0, "uploads_left": 0},
    "malformed": {
        "uploads": 10_000,
        "server_errors": 0,
        "worker_deaths": 0.0,
        "correct_afterwards": True,
        "memory_mb": {"growth_percent": 1.1},
    },
    "page": {
        "overtone": {
            "started_s": 0.95,
            "added_mb": 0.23,
            "loaded_kb": 59.1,
            "requests": 13,
            "usable_ms": 204.0,
            "result_ms": 480.0,
            "external_hosts": [],
            "leftover_files": 0,
        },
        "gradio": {"skipped": "not here"},
    },
}
