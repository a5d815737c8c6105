"""The experiment file as one typed tree, each field explained beneath it; imports no torch."""

from dermaug.config.arms import ArmConfig, Policy, SyntheticConfig
from dermaug.config.data import DataConfig, Grouping, PhantomConfig, SplitConfig
from dermaug.config.expansion import Arm
from dermaug.config.experiment import Experiment
from dermaug.config.networks import ClassifierConfig, GeneratorConfig, Sampling
from dermaug.config.section import Section

__all__ = [
    "Arm",
    "ArmConfig",
    "ClassifierConfig",
    "DataConfig",
    "Experiment",
    "GeneratorConfig",
    "Grouping",
    "PhantomConfig",
    "Policy",
    "Sampling",
    "Section",
    "SplitConfig",
    "SyntheticConfig",
]
