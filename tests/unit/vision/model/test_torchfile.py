"""Reading PyTorch's older file format without PyTorch."""

import pickle
import struct
import sys
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from vision_svc.model.torchfile import read_weights

_MAGIC, _PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Storage:
    """What a tensor's numbers are kept in."""

    def __init__(self, kind: type, key: str) -> None:
        self.reference = ("storage", kind, key, "cpu", 6, None)


class _Tensor:
    """Pickles as torch's tensors do."""

    def __init__(self, rebuild: object, *view: Any) -> None:
        self._call = (rebuild, (*view, False, OrderedDict()))

    def __reduce__(self) -> Any:
        return self._call


class _Pickler(pickle.Pickler):
    def persistent_id(self, found: Any) -> Any:
        return found.reference if isinstance(found, _Storage) else None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """As much of torch as a state dict names."""

    def _rebuild_tensor_v2() -> None: ...

    torch, inner = ModuleType("torch"), ModuleType("torch._utils")
    torch.FloatStorage = type("FloatStorage", (), {"__module__": "torch"})  # type: ignore[attr-defined]
    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = inner.__name__, "_rebuild_tensor_v2"
    inner._rebuild_tensor_v2 = _rebuild_tensor_v2  # type: ignore[attr-defined]
    torch._utils = inner  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", inner)
    return torch


def _file(*parts: object, numbers: bytes = b"") -> bytes:
    file = BytesIO()
    for part in parts:
        _Pickler(file, 2).dump(part)
    return file.getvalue() + numbers


def test_tensors_are_views_of_their_storage(torch: ModuleType) -> None:
    """Offset and strides count numbers: here a matrix, its second half, its transpose, and a lone number."""
    storage, rebuild = _Storage(torch.FloatStorage, "0"), torch._utils._rebuild_tensor_v2
    tensors = OrderedDict(
        whole=_Tensor(rebuild, storage, 0, (2, 3), (3, 1)),
        half=_Tensor(rebuild, storage, 3, (3,), (1,)),
        turned=_Tensor(rebuild, storage, 0, (3, 2), (1, 3)),
        lone=_Tensor(rebuild, storage, 4, (), ()),
    )
    numbers = struct.pack("<q6f", 6, *range(6))
    weights = read_weights(_file(_MAGIC, _PROTOCOL, {}, tensors, ["0"], numbers=numbers))
    np.testing.assert_array_equal(weights["whole"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(weights["half"], [3, 4, 5])
    np.testing.assert_array_equal(weights["turned"], [[0, 3], [1, 4], [2, 5]])
    assert weights["lone"] == 4
    assert weights["lone"].shape == ()


def test_a_pickle_can_not_run_anything() -> None:
    """A pickle may name any function; only the few of a state dict are known."""

    class Attack:
        def __reduce__(self) -> Any:
            return Path.write_text, (Path("attacked"), "x")

    with pytest.raises(pickle.UnpicklingError):
        read_weights(_file(_MAGIC, _PROTOCOL, {}, Attack()))


def test_other_files_are_refused() -> None:
    """By their first numbers."""
    with pytest.raises(ValueError, match="older format"):
        read_weights(_file(1, 2))
