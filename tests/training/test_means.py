import torch

from dermaug.training.means import RunningMeans


def test_what_it_keeps_does_not_grow_with_steps_or_with_the_tensors_seen() -> None:
    means = RunningMeans()
    for _ in range(50):
        batch = torch.rand(1_000, 100)
        means.add({"loss": batch[0, 0]})  # one number, on the storage of the whole batch
    kept = sum(each.untyped_storage().nbytes() for each in means._sums.values())
    assert kept == 16  # a sum and a count in float64


def test_bfloat16_losses_are_averaged_in_more_than_bfloat16() -> None:
    means, values = RunningMeans(), torch.rand(2_000, dtype=torch.float64).bfloat16()
    for value in values:
        means.add({"loss": value})
    assert abs(means.take()["loss"] - float(values.double().mean())) < 1e-12


def test_a_name_missing_from_some_steps_is_averaged_over_those_that_have_it() -> None:
    means = RunningMeans()
    means.add({"loss": torch.tensor(1.0), "penalty": torch.tensor(4.0)})
    means.add({"loss": torch.tensor(3.0)})
    assert means.take() == {"loss": 2.0, "penalty": 4.0}
    means.add({"loss": torch.tensor(5.0)})
    assert means.take() == {"loss": 5.0}
