"""The graph of an exported model -> the weights of the network that it was exported from, by name.

The exporter keeps the names of most weights. It transposes the weights of linear layers inside the encoder, and folds
single numbers into the operations that use them, both without a name: these are found by their place in the graph.
"""

from collections.abc import Iterator

import numpy as np
import onnx
import onnx.numpy_helper
import torch
from onnx import GraphProto, NodeProto
from torch import Tensor

from overtone.errors import ModelError
from overtone.models.reference_adapter import CONDITIONS, EXPERTS
from overtone.training.onnx_batching import CLIP
from overtone.training.onnx_export import HALF

BIAS, WEIGHT = ".bias", ".weight"
State = dict[str, Tensor]
QUERY, KEY = "q_proj", "k_proj"  # projections of the same states; only the first has a bias


class ExportedGraph:
    """The operations for one clip, and the constants, of an exported model.

    Args:
        content: the ONNX file.
    """

    def __init__(self, content: bytes) -> None:
        graph = _clip_graph(onnx.load_from_string(content).graph)
        self._constants = {
            entry.name.removesuffix(HALF): onnx.numpy_helper.to_array(entry) for entry in graph.initializer
        }
        self._nodes = list(graph.node)
        self._producers = {output: node for node in self._nodes for output in node.output}

    def weights(self) -> State:
        """Name -> each weight that has a name, or can be given one, float32."""
        named = {**self._constants, **dict(self._linear_weights())}
        return {name: _float32(values) for name, values in named.items()}

    def temperature(self, part_output: str) -> float:
        """The number that the logits of the part with this output are divided by.

        Raises:
            ModelError: the graph has no such output.
        """
        if part_output + CLIP not in self._producers:
            raise ModelError(f"no output '{part_output}' in the graph")
        divided = self._producers.get(self._producers[part_output + CLIP].input[0])
        return 1.0 if divided is None or divided.op_type != "Div" else self._number(divided.input[1], 1.0)

    def fusion_weight(self) -> float:
        """The weight of the log probabilities of the only branch in the fusion."""
        for node in self._nodes:
            if node.op_type == "Mul" and self._operation(node.input[1]) == "LogSoftmax":
                return self._number(node.input[0], 1.0)
        return 1.0  # a product with 1 is left out

    def expert_weights(self) -> Tensor:
        """The weights of the reference adapter, `(EXPERTS, CONDITIONS)`.

        Raises:
            ModelError: the graph has none.
        """
        for node in self._nodes:
            values = self._constants.get(node.input[1]) if node.op_type == "MatMul" else None
            if values is not None and values.shape == (CONDITIONS, EXPERTS):
                return _float32(values.T)
        raise ModelError("no weights of a reference adapter in the graph")

    def heads(self, query: str) -> int:
        """Number of attention heads of the layer with this query projection.

        Args:
            query: name of its bias.

        Raises:
            ModelError: the graph has no such layer.
        """
        projected = {output for node in self._nodes if query in node.input for output in node.output}
        for node in self._nodes:
            if node.op_type == "Reshape" and node.input[0] in projected and node.input[1] in self._constants:
                return int(self._constants[node.input[1]][-2])  # (clips, frames, heads, width of a head)
        raise ModelError(f"no attention with the weights {query} in the graph")

    def _linear_weights(self) -> Iterator[tuple[str, np.ndarray]]:
        """Name and values of each weight that is multiplied without a name: that of the bias which is added next.

        The projection without a bias has the same input as the query projection of its layer.
        """
        biases = {
            value: other
            for node in self._nodes
            if node.op_type == "Add"
            for value, other in (node.input, reversed(node.input))
            if other.endswith(BIAS)
        }
        products = [node for node in self._nodes if node.op_type == "MatMul" and node.input[1] in self._constants]
        queries: dict[str, str] = {}
        for node in products:
            name = biases.get(node.output[0])
            if name is not None:
                name = name.removesuffix(BIAS) + WEIGHT
                queries |= {node.input[0]: name} if f".{QUERY}." in name else {}
            elif node.input[0] in queries:
                name = queries[node.input[0]].replace(QUERY, KEY)
            if name is not None:
                yield name, self._constants[node.input[1]].T

    def _operation(self, value: str) -> str:
        return self._producers[value].op_type if value in self._producers else ""

    def _number(self, name: str, default: float) -> float:
        """A constant of one value."""
        return float(self._constants[name].item()) if name in self._constants else default


def _clip_graph(graph: GraphProto) -> GraphProto:
    """The graph for one clip, inside the loop over the clips of a batch."""
    loops = [value.g for node in graph.node if node.op_type == "Scan" for value in _subgraphs(node)]
    return loops[0] if loops else graph


def _subgraphs(node: NodeProto) -> list[onnx.AttributeProto]:
    return [attribute for attribute in node.attribute if attribute.HasField("g")]


def _float32(values: np.ndarray) -> Tensor:
    converted = values.astype(np.float32) if values.dtype == np.float16 else values
    return torch.from_numpy(np.array(converted))
