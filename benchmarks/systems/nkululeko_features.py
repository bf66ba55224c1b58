"""nkululeko's extraction of eGeMAPS features, as its experiments call it: a list of files in, a table on disk.

It runs under a Python of its own, which the environment variable NKULULEKO_PYTHON names: `pip install nkululeko` brings
130 packages, and not in the versions that are here.
"""

import configparser
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from nkululeko import glob_conf
from nkululeko.feat_extract.feats_opensmile import Opensmileset

from benchmarks.systems import Way


def load(variant: str, folder: Path) -> Way:
    """Its openSMILE features on one worker; nothing is kept between calls."""

    def way(clips: Sequence[Path]) -> np.ndarray:
        with tempfile.TemporaryDirectory() as root:
            glob_conf.init_config(experiment(Path(root)))
            files = pd.DataFrame(index=pd.Index([str(clip) for clip in clips], name="file"))
            return Opensmileset("clips", files, "os").extract().to_numpy()

    return way


def experiment(root: Path) -> configparser.ConfigParser:
    """The settings of an experiment that keeps its files below `root`."""
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
