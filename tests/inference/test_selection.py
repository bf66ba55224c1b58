"""Some of the classes and branches of a model: how their probabilities follow from those of the model."""

from pathlib import Path

import numpy as np
import pytest
import tiny_model
from numpy.testing import assert_allclose, assert_array_equal

from overtone.arousal_valence import arousal_valence
from overtone.audio.decode import read
from overtone.corpora.ravdess import EMOTIONS
from overtone.errors import OptionError
from overtone.inference.recogniser import load
from overtone.inference.selection import merged_classes, select

SPEECH = Path(__file__).resolve().parents[2] / "examples" / "speech" / "level.flac"
FOUR = ("neutral", "happy", "sad", "angry")
BRANCHES = ("mel", "prosody", "encoder")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_model.write(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture
def probabilities(rng: np.random.Generator) -> np.ndarray:
    """The fused probabilities of a model of all classes, and those of its branches."""
    return rng.dirichlet(np.ones(len(EMOTIONS)), 1 + len(BRANCHES))


def test_calm_and_bored_count_to_neutral_unless_they_are_chosen() -> None:
    assert merged_classes(FOUR) == {**{name: name for name in FOUR}, "calm": "neutral", "bored": "neutral"}
    assert merged_classes(("neutral", "calm", "sad"))["calm"] == "calm"
    assert merged_classes(("neutral", "calm", "sad"))["bored"] == "neutral"
    assert merged_classes(("happy", "sad")) == {"happy": "happy", "sad": "sad"}


def test_the_other_classes_are_dropped_and_the_rest_sums_to_one(probabilities: np.ndarray) -> None:
    selection = select(("anger", "Neutral", "happiness", "sad"), None, EMOTIONS, BRANCHES)
    assert selection.emotions == FOUR  # in the order of the vocabulary, whatever the order and the spelling
    by_name = dict(zip(EMOTIONS, probabilities.T, strict=True))
    kept = np.stack([by_name["neutral"] + by_name["calm"], by_name["happy"], by_name["sad"], by_name["angry"]], axis=1)
    assert_allclose(selection.reduce(probabilities), kept / kept.sum(1, keepdims=True))


def test_all_classes_and_branches_change_nothing(probabilities: np.ndarray) -> None:
    selection = select(EMOTIONS[::-1], BRANCHES[::-1], EMOTIONS, BRANCHES)
    assert (selection.emotions, selection.branches, selection.has_all_branches) == (EMOTIONS, BRANCHES, True)
    assert_array_equal(selection.reduce(selection.fuse(probabilities)), probabilities)


def test_probabilities_of_zero_give_a_valid_distribution() -> None:
    certain = np.eye(len(EMOTIONS))[[EMOTIONS.index("disgust"), EMOTIONS.index("sad"), 0, 0]]
    selection = select(("happy", "angry"), ("mel", "prosody"), EMOTIONS, BRANCHES)
    assert_allclose(selection.reduce(selection.fuse(certain)).sum(1), 1)


def test_own_classes_are_selected_in_any_case() -> None:
    classes = ("neutral", "calm", "angry", "Frustrated", 'very, "satisfied"', "غاضب")
    chosen = ('VERY,  "satisfied"', "frustrated", "غاضب", "anger", "neutral")
    selection = select(chosen, None, classes, BRANCHES)
    assert selection.emotions == ("neutral", "angry", *classes[3:])
    rows = np.eye(len(classes))
    reduced = selection.reduce(rows).argmax(axis=1)
    assert [selection.emotions[k] for k in reduced] == ["neutral", "neutral", "angry", *classes[3:]]  # calm counts


def test_an_exact_match_comes_before_one_in_another_case() -> None:
    assert select(("a", "b"), None, ("A", "a", "b"), BRANCHES).emotions == ("a", "b")


def test_some_branches_are_fused_by_their_geometric_mean(probabilities: np.ndarray) -> None:
    selection = select(None, ("encoder", "mel"), EMOTIONS, BRANCHES)
    assert (selection.branches, selection.has_all_branches) == (("mel", "encoder"), False)
    fused, mel, encoder = selection.fuse(probabilities)
    product = np.sqrt(probabilities[1] * probabilities[3])
    assert_allclose(fused, product / product.sum())
    assert_array_equal([mel, encoder], probabilities[[1, 3]])


def test_one_branch_gives_its_own_prediction(probabilities: np.ndarray) -> None:
    assert_array_equal(select(None, ("prosody",), EMOTIONS, BRANCHES).fuse(probabilities), probabilities[[2, 2]])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"emotions": ("happy", "angri")}, "emotions: the model has no class 'angri'; did you mean 'angry'"),
        ({"emotions": ("happy", "bored")}, "the model has no class 'bored'; known are angry, calm"),
        ({"emotions": ("happy", "happiness")}, "at least 2 classes, got happy"),
        ({"emotions": ()}, "at least 2 classes, got none"),
        ({"emotions": "happy,sad"}, "emotions: expected several names"),
        ({"branches": ("mell",)}, "no branch 'mell'; did you mean 'mel'"),
        ({"branches": ()}, "at least one of mel, prosody, got none"),
        ({"branches": "mel"}, "branches: expected several names"),
    ],
)
def test_invalid_selections_are_refused(model: Path, options: dict, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        load(model, **options)


def test_clips_segments_and_tracks_have_the_chosen_classes_and_branches(model: Path) -> None:
    speech = read(SPEECH).samples
    complete = load(model).recognise(speech, 16_000)
    recogniser = load(model, emotions=FOUR, branches=("prosody",))
    prediction = recogniser.recognise(speech, 16_000)
    assert recogniser.emotions == prediction.emotions == FOUR
    assert recogniser.branches == tuple(prediction.branches) == ("prosody",)
    rows = np.stack([complete.probabilities, *complete.branches.values()])
    selection = select(FOUR, ("prosody",), EMOTIONS, ("mel", "prosody"))
    assert_allclose(prediction.probabilities, selection.reduce(selection.fuse(rows))[0], atol=1e-6)
    assert_array_equal(prediction.probabilities, prediction.branches["prosody"])
    assert complete.emotions == EMOTIONS  # a selection does not change another recogniser of the same model
    timeline = recogniser.timeline(speech, 16_000)
    assert timeline.emotions == FOUR and timeline.tracks.probabilities.shape[1] == len(FOUR)
    stream = recogniser.stream(16_000)
    live = stream.push(np.tile(speech, 2))
    stream.close()
    for segment in (*timeline.segments, *live):
        assert segment.prediction is None or segment.prediction.emotions == FOUR
        assert segment.prediction is None or list(segment.prediction.branches) == ["prosody"]


def test_arousal_and_valence_follow_from_all_classes(model: Path) -> None:
    speech = read(SPEECH).samples
    complete = load(model).recognise(speech, 16_000)
    assert (complete.arousal, complete.valence) == pytest.approx(arousal_valence(complete.probabilities, EMOTIONS))
    two = load(model, emotions=("happy", "surprised")).recognise(speech, 16_000)
    assert (two.arousal, two.valence) == pytest.approx((complete.arousal, complete.valence))
    mel = load(model, branches=("mel",)).recognise(speech, 16_000)
    assert (mel.arousal, mel.valence) == pytest.approx(arousal_valence(complete.branches["mel"], EMOTIONS))


def test_a_timeline_has_curves_of_arousal_and_valence(model: Path) -> None:
    timeline = load(model).timeline(np.pad(read(SPEECH).samples, 32_000), 16_000)
    is_speech = ~np.isnan(timeline.tracks.probabilities[:, 0])
    for name in ("arousal", "valence"):
        curve = getattr(timeline.tracks, name)
        assert_array_equal(~np.isnan(curve), is_speech)
        assert ((curve[is_speech] >= 0) & (curve[is_speech] <= 1)).all()
        for segment in timeline.segments:
            steps = slice(round(segment.start_s / 0.1), int(np.ceil(round(segment.end_s / 0.1, 6))))
            if segment.prediction is not None:
                assert getattr(segment.prediction, name) == pytest.approx(curve[steps].mean(), abs=1e-6)
