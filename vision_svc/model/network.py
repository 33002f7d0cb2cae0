"""EfficientNet-Lite1 and -Lite2, side by side in one ONNX file.

Architecture: Tan & Le, "EfficientNet" (2019), and Google's Lite variant, which drops squeeze-and-excitation and uses
ReLU6. The two differ in the side of their input and in the number of channels. Each has its input and outputs under its
own name: `lite1.image` is float32 [N, 3, side, side], (RGB - 127) / 128; `lite1.logits` is [N, 1000] (ImageNet-1k),
`lite1.features` [N, 1280] (global average pool). Batch normalisation is folded into the convolutions, padding is
TensorFlow's SAME. Large weights are stored as float16 and cast back when the graph is loaded: half the file, the same
float32 arithmetic.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto, compose, helper, numpy_helper

from vision_svc.model import Backbone
from vision_svc.model.torchfile import Weights

_OPSET = 13
_IR_VERSION = 8
_EPSILON = 1e-3  # of every batch normalisation
_HALF_FROM = 64  # fewer numbers than this aren't worth a cast


@dataclass(frozen=True, slots=True)
class _Stage:
    """Blocks of one resolution.

    Attributes:
        blocks: How many.
        stride: Of the first block; the others keep the resolution.
    """

    blocks: int
    stride: int


_STAGES = (_Stage(1, 1), _Stage(3, 2), _Stage(3, 2), _Stage(4, 2), _Stage(4, 1), _Stage(5, 2), _Stage(1, 1))


@dataclass(frozen=True, slots=True)
class _Map:
    """A feature map inside the graph: its name, side in pixels, and channels."""

    name: str
    side: int
    channels: int


@dataclass(slots=True)
class _Graph:
    """Collects nodes and weights in the order they are added; the order is part of the file's digest."""

    weights: Weights
    casts: list[Any] = field(default_factory=list)
    nodes: list[Any] = field(default_factory=list)
    constants: list[Any] = field(default_factory=list)

    def node(self, operation: str, inputs: Sequence[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operation, inputs, [output], name=output, **attributes))
        return output

    def constant(self, name: str, numbers: NDArray[Any]) -> str:
        numbers = np.ascontiguousarray(numbers, np.float32)
        if numbers.ndim >= 2 and numbers.size >= _HALF_FROM:
            half = f"{name}.half"
            self.constants.append(numpy_helper.from_array(numbers.astype(np.float16), half))
            self.casts.append(helper.make_node("Cast", [half], [name], name=name, to=TensorProto.FLOAT))
        else:
            self.constants.append(numpy_helper.from_array(numbers, name))
        return name

    def convolution(self, source: _Map, name: str, norm: str, *, stride: int = 1, depthwise: bool = False) -> _Map:
        """A convolution with its batch normalisation `norm` folded in."""
        kernel = self.weights[f"{name}.weight"].astype(np.float64)
        gain, shift, mean, variance = (
            self.weights[f"{norm}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        scale = gain / np.sqrt(variance + _EPSILON)
        channels, _, width, _ = kernel.shape
        side = math.ceil(source.side / stride)
        padding = max((side - 1) * stride + width - source.side, 0)
        before, after = padding // 2, padding - padding // 2
        inputs = [
            source.name,
            self.constant(f"{name}.kernel", kernel * scale[:, None, None, None]),
            self.constant(f"{name}.bias", shift - mean * scale),
        ]
        self.node(
            "Conv",
            inputs,
            name,
            kernel_shape=[width, width],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=channels if depthwise else 1,
        )
        return _Map(name, side, channels)

    def relu6(self, source: _Map) -> _Map:
        return replace(source, name=self.node("Clip", [source.name, "zero", "six"], f"{source.name}.relu6"))

    def block(self, source: _Map, prefix: str, stride: int) -> _Map:
        """An inverted residual block: expand, convolve each channel, project; the first block doesn't expand."""
        inner = source
        if f"{prefix}._expand_conv.weight" in self.weights:
            inner = self.relu6(self.convolution(inner, f"{prefix}._expand_conv", f"{prefix}._bn0"))
        depthwise = f"{prefix}._depthwise_conv"
        inner = self.relu6(self.convolution(inner, depthwise, f"{prefix}._bn1", stride=stride, depthwise=True))
        inner = self.convolution(inner, f"{prefix}._project_conv", f"{prefix}._bn2")
        if stride == 1 and inner.channels == source.channels:
            return replace(inner, name=self.node("Add", [inner.name, source.name], f"{prefix}.sum"))
        return inner


def build(weights: Mapping[Backbone, Weights]) -> onnx.ModelProto:
    """The model with these backbones.

    Args:
        weights: Of each backbone, the state dict of `efficientnet_lite_pytorch`, by parameter name.

    Raises:
        KeyError: A weight of the architecture is missing.
        onnx.checker.ValidationError: The graph came out wrong.
    """
    parts = [
        compose.add_prefix_graph(_network(backbone, own), f"{backbone.name}.") for backbone, own in weights.items()
    ]
    body = helper.make_graph(
        [node for part in parts for node in part.node],
        "efficientnet-lite",
        [image for part in parts for image in part.input],
        [output for part in parts for output in part.output],
        [constant for part in parts for constant in part.initializer],
    )
    model = helper.make_model(body, opset_imports=[helper.make_opsetid("", _OPSET)], producer_name="eco2")
    model.ir_version = _IR_VERSION
    onnx.checker.check_model(model)
    return model


def _network(backbone: Backbone, weights: Weights) -> GraphProto:
    graph = _Graph(weights)
    graph.constant("zero", np.array(0))
    graph.constant("six", np.array(6))
    top = graph.relu6(graph.convolution(_Map("image", backbone.side, 3), "_conv_stem", "_bn0", stride=2))
    strides = [stage.stride if block == 0 else 1 for stage in _STAGES for block in range(stage.blocks)]
    for number, stride in enumerate(strides):
        top = graph.block(top, f"_blocks.{number}", stride)
    top = graph.relu6(graph.convolution(top, "_conv_head", "_bn1"))
    graph.node("GlobalAveragePool", [top.name], "pool")
    graph.node("Flatten", ["pool"], "features", axis=1)
    kernel, bias = graph.constant("_fc.kernel", weights["_fc.weight"]), graph.constant("_fc.bias", weights["_fc.bias"])
    graph.node("Gemm", ["features", kernel, bias], "logits", transB=1)
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 3, backbone.side, backbone.side])
    outputs = [
        helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", len(weights["_fc.bias"])]),
        helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", top.channels]),
    ]
    return helper.make_graph(graph.casts + graph.nodes, backbone.name, [image], outputs, graph.constants)
