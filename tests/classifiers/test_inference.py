import numpy as np
import torch

from dermaug.classifiers.inference import predict
from dermaug.classifiers.model import ClassifierSpec, build_classifier
from dermaug.config import ClassifierConfig
from dermaug.data.image_bank import ImageBank


def test_eight_views_do_not_care_how_an_image_lies() -> None:
    torch.manual_seed(0)
    config = ClassifierConfig(views=8)
    spec = ClassifierSpec.of(config, ("mel", "nv", "df"), 32)
    classifier = build_classifier(config, spec, (0.5,) * 3, (0.2,) * 3)
    images = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), dtype=np.uint8)
    turned = np.ascontiguousarray(np.rot90(images, axes=(1, 2))[:, ::-1])
    labels, device = np.zeros(5, np.int64), torch.device("cpu")
    banks = [ImageBank.of(each, labels, device) for each in (images, turned)]
    one = [predict(classifier, bank) for bank in banks]
    eight = [predict(classifier, bank, views=spec.views) for bank in banks]
    assert np.abs(one[0] - one[1]).max() > 1e-3
    np.testing.assert_allclose(eight[0], eight[1], atol=1e-6)
    np.testing.assert_allclose(eight[0].sum(1), 1.0, atol=1e-6)
