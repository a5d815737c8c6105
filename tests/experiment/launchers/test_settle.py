"""How a network is computed is measured once on a machine, and only where there is a choice."""

import pytest
import torch
from lightning_fabric import Fabric

from dermaug.config import ClassifierConfig, GeneratorConfig
from dermaug.experiment.launchers.settle import Question, fastest
from dermaug.experiment.run.records import Computation
from dermaug.training.fabric import multiplies_bfloat16, start_fabric

CLASSIFIER = ClassifierConfig(batch=8)
GENERATOR = GeneratorConfig(family="cgan", batch=8, width=4)


def test_nothing_is_measured_where_there_is_no_choice() -> None:
    question = Question(CLASSIFIER, 32, 2, "32-true", 1)
    assert fastest(question, start_fabric("cpu", "32-true")).threads == 1
    assert not question.stored.exists()


def test_threads_are_measured_once() -> None:
    question, fabric = Question(CLASSIFIER, 32, 2, "32-true", 2), start_fabric("cpu", "32-true")
    before = torch.get_num_threads()
    answer = fastest(question, fabric)
    assert answer.precision == "32-true"
    assert answer.threads in (1, 2)
    assert torch.get_num_threads() == before
    other = Computation(precision="32-true", threads=3 - answer.threads)
    other.write(question.stored)
    assert fastest(question, fabric) == other


@pytest.mark.parametrize("config", [CLASSIFIER, GENERATOR], ids=["classifier", "generator"])
def test_precision_is_measured_on_cpus_that_offer_two(
    config: ClassifierConfig | GeneratorConfig, fabric: Fabric
) -> None:
    question = Question(config, 32, 2, "auto", 1)
    answer = fastest(question, fabric)
    assert question.stored.exists() == multiplies_bfloat16(fabric.device)
    assert answer.precision in ("32-true", "bf16-mixed")
    assert fastest(question, fabric) == answer
