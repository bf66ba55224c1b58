import numpy as np

from overtone.datatypes import Prediction
from overtone.formats.branches import branch_emotion, branch_explanation, branch_label, probability_columns


def test_probability_columns_follow_the_branches_of_the_prediction() -> None:
    branches = {"mel": np.array([0.1, 0.9]), "speech_encoder": np.array([0.75, 0.25])}
    prediction = Prediction(("sad", "happy"), np.array([0.5, 0.5]), branches)
    assert probability_columns(prediction) == {
        "p_sad": 0.5,
        "p_happy": 0.5,
        "mel_p_sad": 0.1,
        "mel_p_happy": 0.9,
        "speech_encoder_p_sad": 0.75,
        "speech_encoder_p_happy": 0.25,
    }
    assert branch_emotion(prediction, "speech_encoder") == "sad"


def test_a_branch_without_a_label_is_called_by_its_name() -> None:
    assert branch_label("mel") == "spectrum" and "frequencies" in branch_explanation("mel")
    assert branch_label("speech_encoder") == "speech_encoder" and branch_explanation("speech_encoder")
