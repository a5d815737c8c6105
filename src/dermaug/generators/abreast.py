"""Several small networks of one kind as one: weights stacked, every layer computed once for all.

A small network leaves a large device idle: its layers are over before the next one is launched.
Stacked, the trainings of all classes and seeds launch each layer once (Bradbury et al. 2018, vmap).
"""

import copy
from collections.abc import Sequence
from typing import Any, cast

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn
from torch.func import functional_call, stack_module_state, vmap
from torch.optim import Optimizer

from dermaug.generators.family import Family


class Stack(nn.Module):
    """Networks of one architecture, each with its own weights, called as one.

    Args:
        networks: At least one; they are copied, see `settle`.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        weights, buffers = stack_module_state(list(networks))
        # Names of a module must not hold dots.
        for name, weight in weights.items():
            self.register_parameter(name.replace(".", "/"), nn.Parameter(weight.detach()))
        for name, buffer in buffers.items():
            self.register_buffer(name.replace(".", "/"), buffer)
        # In a tuple, so that its weights are not taken for this module's.
        self._kind: tuple[Any] = (copy.deepcopy(networks[0]),)

    def forward(self, *inputs: Tensor) -> Tensor:
        """Outputs of all networks; inputs and outputs have one row a network."""

        def alone(weights: dict[str, Tensor], *given: Tensor) -> Tensor:
            return cast(Tensor, functional_call(self._kind[0], weights, given))

        drawn: Tensor = vmap(alone, randomness="different")(self._state(), *inputs)
        return drawn

    def draw_latents(self, number: int, random: Sequence[Generator]) -> Float[Tensor, "k n latent"]:
        """Latents of samplers, for each from its own source."""
        return torch.stack([self._kind[0].draw_latents(number, each) for each in random])

    @torch.no_grad()
    def settle(self, networks: Sequence[nn.Module]) -> None:
        """Give each network its weights and buffers."""
        state = self._state()
        for place, network in enumerate(networks):
            for name, value in network.state_dict().items():
                value.copy_(state[name][place])

    def _state(self) -> dict[str, Tensor]:
        own = {**dict(self.named_parameters()), **dict(self.named_buffers())}
        return {name.replace("/", "."): value for name, value in own.items()}


def abreast(families: Sequence[Family]) -> Family:
    """One family that trains several at once: `step` takes one row of images and labels for each.

    Its random source is a sequence of generators, and its losses have one number for each.

    Args:
        families: Of one kind and configuration, as far trained as each other; they are copied, see
            `settle`. The kind must be `stackable`.
    """
    whole = copy.deepcopy(families[0])
    for name, _ in list(whole.named_children()):
        setattr(whole, name, Stack([getattr(each, name) for each in families]))
    whole.optimizers = {
        name: _stacked(getattr(whole, name), [each.optimizers[name] for each in families])
        for name in whole.optimizers
    }
    return whole


def settle(whole: Family, families: Sequence[Family]) -> None:
    """Give each family the weights and the optimiser's averages that `abreast` trained for it."""
    for name, stack in whole.named_children():
        assert isinstance(stack, Stack)
        stack.settle([getattr(each, name) for each in families])
    for name, optimizer in whole.optimizers.items():
        for place, family in enumerate(families):
            own = family.optimizers[name]
            for weight, stacked in zip(_weights(own), _weights(optimizer), strict=True):
                averages = optimizer.state[stacked]
                own.state[weight] = {
                    key: value[place].clone() if value.shape == stacked.shape else value.clone()
                    for key, value in averages.items()
                }


def _stacked(stack: Stack, optimizers: Sequence[Optimizer]) -> Optimizer:
    """An optimiser of stacked weights that goes on where the others are."""
    (group,) = optimizers[0].param_groups
    settings = {key: value for key, value in group.items() if key != "params"}
    whole = type(optimizers[0])(stack.parameters(), **settings)
    for place, weight in enumerate(_weights(whole)):
        averages = [each.state.get(_weights(each)[place], {}) for each in optimizers]
        whole.state[weight] = {
            key: torch.stack([each[key] for each in averages]) if value.dim() else value.clone()
            for key, value in averages[0].items()
        }
    return whole


def _weights(optimizer: Optimizer) -> list[Tensor]:
    return [weight for group in optimizer.param_groups for weight in group["params"]]
