"""A network as an ONNX file with a free batch size, compared with torch before it is written."""

import logging
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from dermaug.aside import written_aside
from dermaug.errors import DermaugError
from dermaug.extras import to_install

BATCHES = (1, 7)
"""Batch sizes at which both are compared."""
LARGEST_DIFFERENCE = 1e-4


@dataclass(frozen=True, eq=False)
class Graph:
    """What is written.

    Args:
        network: Takes the inputs by position.
        inputs: Batch size -> example inputs by name, whose first axis is the batch.
        output: Name of the output.
    """

    network: nn.Module
    inputs: Callable[[int], Mapping[str, Tensor]]
    output: str


def write_onnx(path: Path, graph: Graph) -> float:
    """Write a network in evaluation mode, on the CPU.

    Returns:
        Largest absolute difference to torch at batches of 1 and 7.

    Raises:
        DermaugError: The extra `export` is not installed, the network cannot be written, or its
            outputs differ.
    """
    try:
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError:
        raise DermaugError(
            "writing ONNX needs the extra export, which is not installed; install it with "
            f"{to_install('export')}, or leave ONNX out with --no-onnx"
        ) from None
    network = graph.network.cpu().eval()
    with written_aside(path) as aside:
        _write(aside, graph, path.name)
        session = onnxruntime.InferenceSession(str(aside), providers=["CPUExecutionProvider"])
        difference = max(_difference(session, network, graph.inputs(batch)) for batch in BATCHES)
        if not difference < LARGEST_DIFFERENCE:
            raise DermaugError(
                f"{path.name}: expected outputs as in torch within {LARGEST_DIFFERENCE:g}, found a "
                f"difference of {difference:.2g}; leave ONNX out with --no-onnx"
            )
    return difference


def _write(path: Path, graph: Graph, name: str) -> None:
    example = graph.inputs(2)
    batch = torch.export.Dim("batch")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")  # of torch about its own parts
            torch.onnx.export(
                graph.network,
                tuple(example.values()),
                path,
                input_names=list(example),
                output_names=[graph.output],
                dynamic_shapes=tuple({0: batch} for _ in example),
                dynamo=True,
                external_data=False,
                verbose=False,
            )
    except OSError:  # of a full disk, for example
        raise
    except Exception as error:  # torch documents none: each operator may raise its own
        raise DermaugError(
            f"{name}: torch cannot write this network as ONNX ({str(error).splitlines()[0]}); "
            "leave ONNX out with --no-onnx"
        ) from error


def _difference(session: object, network: nn.Module, inputs: Mapping[str, Tensor]) -> float:
    with torch.inference_mode():
        expected = network(*inputs.values()).numpy()
    given = {name: tensor.numpy() for name, tensor in inputs.items()}
    (found,) = session.run(None, given)  # type: ignore[attr-defined]
    return float(np.abs(found - expected).max())
