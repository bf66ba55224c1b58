"""A graph for one clip -> a graph for a batch of clips, processed one after the other."""

from collections.abc import Iterable

from onnx import GraphProto, ModelProto, NodeProto, TensorProto, ValueInfoProto, helper

BATCH = "batch"
CLIP, STACKED = ".clip", ".each"  # suffixes of names: of the values of a single clip, and of the stacked values


def add_batch_axis(model: ModelProto, batched: str = "waveform") -> ModelProto:
    """The same graph for any number of clips of one length: it scans over the rows of one input.

    Args:
        model: each of its outputs has a batch of one.
        batched: the input with a batch of one, `(1, samples)`; the others are the same for every clip.
    """
    inner = model.graph
    rows = next(entry for entry in inner.input if entry.name == batched)
    names = [output.name for output in inner.output]
    scan = helper.make_node(
        "Scan", [batched], [name + STACKED for name in names], num_scan_inputs=1, body=_body(inner, rows)
    )
    squeezed = [helper.make_node("Squeeze", [name + STACKED, "second_axis"], [name]) for name in names]
    outer = helper.make_graph(
        [scan, *squeezed],
        inner.name,
        [_like(rows, rows.name, BATCH), *(entry for entry in inner.input if entry.name != batched)],
        [_like(output, output.name, BATCH) for output in inner.output],
        [helper.make_tensor("second_axis", TensorProto.INT64, [1], [1])],
    )
    result = ModelProto()
    result.CopyFrom(model)
    result.graph.CopyFrom(outer)
    return result


def _body(inner: GraphProto, rows: ValueInfoProto) -> GraphProto:
    """The loop body for one row `(samples,)`; names of the outer graph must not be reused in it."""
    renamed = {entry.name: entry.name + CLIP for entry in (rows, *inner.output)}
    row = f"{rows.name}.row"
    return helper.make_graph(
        [helper.make_node("Unsqueeze", [row, "first_axis"], [renamed[rows.name]]), *_rename(inner.node, renamed)],
        "clip",
        [_like(rows, row)],
        [_like(output, renamed[output.name], 1) for output in inner.output],
        [*inner.initializer, helper.make_tensor("first_axis", TensorProto.INT64, [1], [0])],
    )


def _rename(nodes: Iterable[NodeProto], renamed: dict[str, str]) -> list[NodeProto]:
    copies = []
    for node in nodes:
        copy = NodeProto()
        copy.CopyFrom(node)
        copy.input[:] = [renamed.get(name, name) for name in node.input]
        copy.output[:] = [renamed.get(name, name) for name in node.output]
        copies.append(copy)
    return copies


def _like(entry: ValueInfoProto, name: str, *first: int | str) -> ValueInfoProto:
    """An input or output of the same type and shape, except for its first axis."""
    of_type = entry.type.tensor_type
    others = [axis.dim_param or axis.dim_value for axis in of_type.shape.dim[1:]]
    return helper.make_tensor_value_info(name, of_type.elem_type, [*first, *others])
