"""Values of h5py and NumPy as JSON.

    None, True, 7, "text", [..]      themselves             {"float": "0x1.8p+0"}   {"complex": [f, f]}
    {"int": "9007199254740993"}      beyond 2**53           {"bytes": base64}
    {"tuple": [..]}                  {"dict": [[k, v], ..]} {"slice": [start, stop, step]}   {"ellipsis": true}
    {"array": {dtype, shape, data}}  NumPy arrays           {"scalar": {..}}        NumPy scalars, the same
    {"dtype": {..}}                  types, see `encode_dtype`
    {"object": 3, ..}                a file, group, dataset, committed type: a number, and at first what it is
    {"attrs": {"object": 3}}, {"dims": ..}, {"dim": .., "index": 0}, {"region": ..}, {"view": 5}

Data of numbers are little-endian bytes in base64 (`{"zlib": ..}`: compressed); of text, references and sequences a
list; of compounds `{"columns": {name: array}}`. Names of files begin with `$TMP/`.
"""
import base64
import os
import sys
import zlib

import h5py
import numpy as np
from h5py import h5i, h5r, h5s

SAFE_INT = 2**53
COMPRESSED_SIZE_MIN = 256
DATA_SIZE_MAX = 8 * 2**20


class Inexpressible(Exception):
    """A value that has no counterpart outside of Python; the text is the reason."""


class Names:
    """Numbers of objects, and names of files without their folder."""

    def __init__(self, folder):
        self.folder = os.path.join(os.path.realpath(folder), "")
        self.count = 0

    def text(self, value):
        return value.replace(self.folder, "$TMP/") if isinstance(value, str) else value

    def next(self):
        self.count += 1
        return self.count


names = Names("/")
MARK = "_recorded_as"


def pack(data):
    if len(data) > DATA_SIZE_MAX:
        raise Inexpressible("more than 8 MiB of data")
    if len(data) < COMPRESSED_SIZE_MIN:
        return base64.b64encode(data).decode()
    return {"zlib": base64.b64encode(zlib.compress(data, 1)).decode()}


def order_of(dt):
    order = dt.byteorder
    return {"=": "<" if sys.byteorder == "little" else ">"}.get(order, order)


def encode_dtype(dt):
    """A type of NumPy's, with what h5py adds to it."""
    if dt.subdtype is not None:
        base, shape = dt.subdtype
        return {"kind": "array", "base": encode_dtype(base), "shape": list(shape)}
    if dt.names is not None:
        fields = [
            {"name": name, "offset": dt.fields[name][1], "dtype": encode_dtype(dt.fields[name][0])}
            for name in dt.names
        ]
        return {"kind": "compound", "size": dt.itemsize, "fields": fields}
    if dt.kind == "T":
        return {"kind": "T"}
    plain = {"kind": dt.kind, "size": dt.itemsize, "order": order_of(dt)}
    enum = h5py.check_enum_dtype(dt)
    if enum is not None:
        return {**plain, "enum": [[name, str(int(value))] for name, value in enum.items()]}
    text = h5py.check_string_dtype(dt)
    if text is not None:
        return {**plain, "text": {"encoding": text.encoding, "length": text.length}}
    base = h5py.check_vlen_dtype(dt)
    if base is not None:
        return {**plain, "vlen": encode_dtype(np.dtype(base))}
    ref = h5py.check_ref_dtype(dt)
    if ref is not None:
        return {**plain, "ref": "region" if ref is h5py.RegionReference else "object"}
    if h5py.check_opaque_dtype(dt):
        return {**plain, "opaque": True, "str": dt.str}
    return plain


def little(array):
    """Bytes of numbers, least significant first."""
    dt = array.dtype
    if dt.kind in "fc" and dt.itemsize > (8 if dt.kind == "f" else 16):
        array = array.astype("<f8" if dt.kind == "f" else "<c16")
    elif dt.kind in "mM":
        array = array.view(dt.newbyteorder("<").str.replace(dt.str[1:], "i8"))
    elif dt.byteorder == ">":
        array = array.astype(dt.newbyteorder("<"))
    return np.ascontiguousarray(array).tobytes()


def encode_array(array):
    dt = array.dtype
    head = {"dtype": encode_dtype(dt), "shape": list(array.shape)}
    if dt.names is not None:
        columns = [[name, encode_array(array[name])] for name in dt.names]
        return {**head, "data": {"columns": columns}}
    if dt.kind in "OUT":
        return {**head, "data": [encode(item) for item in array.reshape(-1).tolist()]}
    return {**head, "data": pack(little(array))}


def file_path(obj):
    name = h5py.h5f.get_name(obj.id)
    return names.text(os.path.abspath(os.fsdecode(name)))


def encode_object(obj):
    known = obj.__dict__.get(MARK)
    if known is not None:
        return {"object": known}
    if not obj.id:
        number = obj.__dict__[MARK] = names.next()
        return {"object": number, "kind": type(obj).__name__, "closed": True}
    try:
        name = h5i.get_name(obj.id)
        file = file_path(obj)
    except ValueError as error:
        raise Inexpressible("a datatype that is in no file") from error
    number = obj.__dict__[MARK] = names.next()
    path = None if name is None else name.decode("utf8", "surrogateescape")
    facts = {"kind": type(obj).__name__, "path": path, "file": file}
    if isinstance(obj, h5py.File):
        facts["mode"] = obj.mode
    return {"object": number, **facts}


def encode_reference(ref, where):
    """What a reference leads to: references themselves are addresses in a file."""
    if not ref:
        return {"ref": None}
    if where is None:
        raise Inexpressible("a reference without the file that it is for")
    found = h5r.dereference(ref, where)
    name = h5r.get_name(ref, where)
    path = None if name is None else name.decode()
    facts = {"ref": path, "file": names.text(os.path.abspath(os.fsdecode(h5py.h5f.get_name(found))))}
    if not isinstance(ref, h5py.RegionReference):
        return facts
    space = h5r.get_region(ref, where)
    kind = space.get_select_type()
    if kind == h5s.SEL_POINTS:
        return {**facts, "select": "points", "points": space.get_select_elem_pointlist().tolist()}
    if kind == h5s.SEL_HYPERSLABS:
        return {**facts, "select": "blocks", "blocks": space.get_select_hyper_blocklist().tolist()}
    return {**facts, "select": "none" if kind == h5s.SEL_NONE else "all"}


class Place:
    """An object of the file that references are for."""

    current = None


ENCODERS = []


def encoder(*types):
    def keep(function):
        ENCODERS.append((types, function))
        return function

    return keep


@encoder(bool)
def _(value):
    return value


@encoder(np.generic)
def _(value):
    return {"scalar": encode_array(np.asarray(value))}


@encoder(int)
def _(value):
    return value if -SAFE_INT < value < SAFE_INT else {"int": str(value)}


@encoder(float)
def _(value):
    return {"float": repr(value)}


@encoder(complex)
def _(value):
    return {"complex": [repr(value.real), repr(value.imag)]}


@encoder(str)
def _(value):
    return names.text(value)


@encoder(bytes, bytearray)
def _(value):
    return {"bytes": base64.b64encode(bytes(value).replace(names.folder.encode(), b"$TMP/")).decode()}


@encoder(os.PathLike)
def _(value):
    return encode(os.fspath(value))


@encoder(slice)
def _(value):
    return {"slice": [encode(part) for part in (value.start, value.stop, value.step)]}


@encoder(np.dtype)
def _(value):
    return {"dtype": encode_dtype(value)}


@encoder(np.ndarray)
def _(value):
    return {"array": encode_array(value)}


@encoder(h5py.Empty)
def _(value):
    return {"empty": encode_dtype(value.dtype)}


@encoder(h5py.Group, h5py.Dataset, h5py.Datatype)
def _(value):
    return encode_object(value)


@encoder(h5py.RegionReference, h5py.Reference)
def _(value):
    return encode_reference(value, Place.current)


@encoder(h5py.SoftLink)
def _(value):
    return {"soft": names.text(value.path)}


@encoder(h5py.ExternalLink)
def _(value):
    filename = value.filename
    return {"external": [names.text(os.fspath(filename)), names.text(value.path)]}


@encoder(h5py.HardLink)
def _(_value):
    return {"hard": True}


@encoder(h5py.MultiBlockSlice)
def _(value):
    return {"blocks": [value.start, value.count, value.stride, value.block]}


@encoder(tuple)
def _(value):
    return {"tuple": [encode(item) for item in value]}


@encoder(list)
def _(value):
    return [encode(item) for item in value]


@encoder(range)
def _(value):
    return [encode(item) for item in value]


@encoder(dict)
def _(value):
    return {"dict": [[encode(key), encode(item)] for key, item in value.items()]}


def encode(value):
    """A value as JSON. Raises `Inexpressible`, with the reason."""
    if value is None or value is Ellipsis:
        return None if value is None else {"ellipsis": True}
    if value is NotImplemented:  # Python takes it for False
        return False
    if isinstance(value, type):
        return {"class": value.__name__}
    for types, function in ENCODERS:
        if isinstance(value, types):
            return function(value)
    own = getattr(value, MARK, None)
    if own is not None:
        return own
    raise Inexpressible(reason_for(type(value)))


def reason_for(cls):
    if any(base.__module__ in ("io", "_io", "tempfile") for base in cls.__mro__) or hasattr(cls, "seek"):
        return "a file that is an object of Python's"
    return "an object of HDF5's library" if cls.__module__.startswith("h5py") else "an object of Python's"
