"""nkululeko's extraction of eGeMAPS features, called as its experiments do: a list of files in, a table on disk.

It runs in a separate Python interpreter, the value of the environment variable NKULULEKO_PYTHON: `pip install
nkululeko` installs 130 packages, in versions that conflict with those of this environment.
"""

import configparser
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from nkululeko import glob_conf
from nkululeko.feat_extract.feats_opensmile import Opensmileset

from benchmarks.systems import ProcessClips


def load(variant: str, folder: Path) -> ProcessClips:
    """Return its openSMILE extraction on one worker, without a cache between calls."""

    def process(clips: Sequence[Path]) -> np.ndarray:
        with tempfile.TemporaryDirectory() as root:
            glob_conf.init_config(experiment_settings(Path(root)))
            files = pd.DataFrame(index=pd.Index([str(clip) for clip in clips], name="file"))
            return Opensmileset("clips", files, "os").extract().to_numpy()

    return process


def experiment_settings(root: Path) -> configparser.ConfigParser:
    """Return the settings of an experiment that stores its files below `root`."""
    settings = configparser.ConfigParser()
    settings.read_dict(
        {
            "EXP": {"root": f"{root}/", "name": "bench"},
            "DATA": {"databases": "[]"},
            "FEATS": {"type": "['os']", "no_reuse": "True"},
            "MODEL": {"n_jobs": "1"},
        }
    )
    return settings
