import torch
from torch import nn

from dermaug.training.ema import Ema


def test_average_follows_the_written_out_recursion() -> None:
    network = nn.Linear(3, 2)
    ema = Ema(network, decay=0.9)
    expected = network.weight.detach().clone()
    for step in range(120):
        with torch.no_grad():
            network.weight.add_(1.0)
        ema.at(step)
        ema.update()
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * network.weight.detach()
    torch.testing.assert_close(ema.module.weight, expected)


def test_no_decay_copies_the_network() -> None:
    network = nn.BatchNorm2d(3)
    ema = Ema(network, decay=0.0)
    network(torch.rand(4, 3, 5, 5))
    ema.at(5)
    ema.update()
    torch.testing.assert_close(ema.module.running_mean, network.running_mean)
