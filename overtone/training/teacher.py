"""Distillation from a teacher of another recipe: each network of a run is taught by one that saw the same clips.

The teachers are trained in the run itself, on the splits of the networks they teach: what a network leaves out for
validation or testing, its teacher has not seen either, so scores and calibration remain honest.

Source: Hinton et al. (2015), "Distilling the knowledge in a neural network".
"""

from overtone.features.front_end import ExtraFeature
from overtone.models.branches import extra_features
from overtone.models.network import Network
from overtone.recipe import FUSION, Recipe, read_teacher
from overtone.training.calibrate import calibrate
from overtone.training.ensemble_members import PartSplits, distillation_targets
from overtone.training.feature_cache import FeatureStore
from overtone.training.targets import Targets


def required_features(recipe: Recipe) -> tuple[int, dict[str, ExtraFeature]]:
    """The number of augmented versions, and the extra features, that a recipe and its teacher are trained on.

    Raises:
        OptionError: a pretrained encoder cannot be found.
        ModelError: a pretrained encoder is damaged.
    """
    recipes = [row for row in (recipe, read_teacher(recipe)) if row is not None]
    extra: dict[str, ExtraFeature] = {}
    for row in recipes:
        extra |= extra_features(row)
    return max(row.wave_variants for row in recipes), extra


def taught_targets(
    teacher: Network, splits: PartSplits, store: FeatureStore, targets: Targets, weight: float
) -> Targets:
    """The targets mixed with the predictions of a trained teacher for its training clips.

    Its temperature is fitted on the clips that it leaves out: the labels are as uncertain as it is about such clips.

    Args:
        teacher: trained on these splits; it is calibrated.
        splits: part -> its split.
        store: features of all clips.
        targets: of all clips.
        weight: of the teacher in the targets, in [0, 1].
    """
    calibrate(teacher, store, targets, [(teacher, splits)])
    return distillation_targets(teacher, store, targets, splits[FUSION].train, weight)
