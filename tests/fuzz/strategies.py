"""Requests from the descriptors: half sensible, half not."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from hypothesis import strategies as st

# What passes a validator now and then, and so gets further than its refusal.
SENSIBLE = [
    *("ko", "en", "image/jpeg", "https://example.com/a.jpg", "서울특별시/마포구", "페트병", "bottle", "재활용폐기물"),
    *("종이", "내용물_있음", "0197a1b2-0000-7000-8000-000000000001", "a" * 64),
]
TEXTS = st.one_of(
    st.sampled_from(SENSIBLE),
    st.text(max_size=40),
    st.text(st.characters(codec="utf-8", categories=["Cc", "Cf", "Mn", "So"]), max_size=10),
    st.sampled_from(["", "\0", "가" * 600, "a" * 3000, "'; --", "%00", "../", "\u202e"]),
)
_INTEGER_BITS = {
    FieldDescriptor.CPPTYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.CPPTYPE_ENUM: (-(1 << 31), (1 << 31) - 1),
}
# What no field of that type can be.
NONSENSE = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just([]), st.just({}))


def fields(message: Descriptor, depth: int = 0) -> st.SearchStrategy[dict[str, Any]]:
    """Some of a message's fields with values that their types allow, as keyword arguments or JSON."""
    if depth > 4:
        return st.just({})
    optional = {field.name: _values(field, depth) for field in message.fields}
    return st.fixed_dictionaries({}, optional=optional)


def bodies(message: Descriptor) -> st.SearchStrategy[Any]:
    """JSON for a message: as it should be, with values of other types or names that no field has, or anything."""
    names = st.one_of(st.sampled_from([field.name for field in message.fields] or ["x"]), st.text(max_size=20))
    return st.one_of(fields(message), st.dictionaries(names, st.recursive(NONSENSE, st.lists, max_leaves=5)), NONSENSE)


def _values(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    value = _value(field, depth)
    return st.lists(value, max_size=30) if field.is_repeated else value


def _value(field: FieldDescriptor, depth: int) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return fields(field.message_type, depth + 1)
    if field.cpp_type in _INTEGER_BITS:
        lowest, highest = _INTEGER_BITS[field.cpp_type]
        return st.one_of(st.integers(0, 100), st.integers(lowest, highest))
    if field.cpp_type in (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT):
        return st.one_of(st.floats(-180, 180), st.floats(width=32))
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=50)
    return TEXTS
