"""Every shipped experiment is read and becomes jobs with keys of their own."""

import json
from pathlib import Path

import pytest
import torch
from torch import Generator

from dermaug.config import Experiment, PhantomConfig
from dermaug.data.catalog import Catalog
from dermaug.data.selection import select
from dermaug.data.sources import open_catalog
from dermaug.data.sources.phantom import write_phantoms
from dermaug.data.splits import make_folds
from dermaug.experiment.plan.checks import counts_by_point
from dermaug.experiment.plan.enumeration import enumerate_jobs
from dermaug.experiment.plan.jobs import ClassifierJob
from dermaug.experiment_file import read_experiment
from dermaug.generators import build_family

ROOT = Path(__file__).parents[1]
EXPERIMENTS = sorted(ROOT.glob("experiments/*.toml"))
BENCHMARKS = sorted(ROOT.glob("benchmarks/*.toml"))


@pytest.fixture(scope="module")
def phantoms(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    asked = PhantomConfig(number=140, balanced=True)
    return open_catalog(write_phantoms(tmp_path_factory.mktemp("data") / "phantoms", asked, 16))


def test_schema_beside_the_experiments_is_that_of_the_code() -> None:
    stored = (ROOT / "experiments/experiment.schema.json").read_text(encoding="utf-8")
    told = "configuration changed: run `dermaug schema > experiments/experiment.schema.json`"
    assert json.loads(stored) == Experiment.model_json_schema(), told


def test_quickstart_is_shipped() -> None:
    assert "quickstart" in [path.stem for path in EXPERIMENTS]


@pytest.mark.parametrize("path", [*EXPERIMENTS, *BENCHMARKS], ids=lambda path: path.stem)
def test_jobs_have_keys_of_their_own_and_need_only_earlier_ones(
    path: Path, phantoms: Catalog
) -> None:
    asked = read_experiment(path)
    catalog = select(phantoms, asked.data)
    folds = make_folds(catalog, asked.splits)
    jobs = enumerate_jobs(asked, catalog.classes, counts_by_point(asked, catalog, folds))
    keys = [job.key for job in jobs.in_order]
    assert len(set(keys)) == len(keys)
    points = len(folds) * len(asked.splits.sizes)
    trials = points * len(asked.seeds) * len(asked.classifiers) * len(asked.arms)
    assert len(jobs.classifiers) == trials
    for place, job in enumerate(jobs.in_order):
        if isinstance(job, ClassifierJob):
            assert {*job.generators, *job.needs} <= set(keys[:place])


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_file_says_what_it_answers_and_is_named_as_its_study(path: Path) -> None:
    schema, first = path.read_text(encoding="utf-8").splitlines()[:2]
    asked = read_experiment(path)
    assert schema == "#:schema ./experiment.schema.json"
    assert first.startswith("# ")
    assert asked.name == path.stem
    assert asked.question.endswith("?")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_a_synthetic_arm_has_its_control(path: Path) -> None:
    asked = read_experiment(path)
    plain = {arm.policy for arm in asked.arms if arm.synthetic is None}
    assert {arm.policy for arm in asked.arms if arm.synthetic is not None} <= plain


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_a_study_of_real_lesions_tells_whether_its_baseline_has_converged(path: Path) -> None:
    asked = read_experiment(path)
    replication = path.stem.startswith("frid_adar")  # its length is the paper's
    assert asked.check_convergence is not (asked.data.source == "phantom" or replication)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_replications_of_a_protocol_have_its_doses_and_say_so(path: Path) -> None:
    asked, head = read_experiment(path), path.read_text(encoding="utf-8").partition("name = ")[0]
    unlimited = any(arm.is_synthetic and not arm.most_per_real for arm in asked.arms)
    assert ("max_per_real = 0" in head) is unlimited
    if path.stem.startswith(("frid_adar", "origin_study")):
        assert unlimited


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_generators_can_draw_the_size(path: Path) -> None:
    asked = read_experiment(path)
    for config in asked.generators:
        narrow = config.model_copy(update={"width": 4})
        sampler = build_family(narrow, asked.data.size).sampler.eval()
        latents = sampler.draw_latents(1, Generator().manual_seed(0))
        with torch.inference_mode():
            images = sampler(latents, torch.zeros(1, dtype=torch.long))
        assert images.shape == (1, 3, asked.data.size, asked.data.size)
