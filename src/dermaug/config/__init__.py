"""The experiment file as one typed tree, each field explained beneath it; imports no torch."""

from dermaug.config.arms import ArmConfig, Policy, SyntheticConfig
from dermaug.config.data import DataConfig, Grouping, PhantomConfig, SplitConfig
from dermaug.config.experiment import Experiment
from dermaug.config.section import Section
from dermaug.config.training import ClassifierConfig, GeneratorConfig, Sampling

__all__ = [
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
