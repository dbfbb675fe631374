"""Data that tests give as Python's lists and numbers, in the form that NumPy gives it before h5py stores it."""
import importlib

import h5py
import numpy as np
from encode import encode, encode_array

base = importlib.import_module(h5py.Dataset.__module__.rpartition(".")[0] + ".base")

# Arguments that are elements.
NEW = {
    "Group.create_dataset": "data",
    "Group.require_dataset": "data",
    "Group.create_dataset_like": "data",
    "Group.__setitem__": "obj",
    "AttributeManager.__setitem__": "value",
    "AttributeManager.create": "data",
}
KNOWN = {"Dataset.__setitem__": "val", "AttributeManager.modify": "value"}


def is_data(op, name):
    return NEW.get(op) == name or KNOWN.get(op) == name


def is_plain(value):
    """Whether it is no value that h5py knows as such."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind == "O" and not value.dtype.metadata
    known = (np.generic, np.dtype, h5py.Empty, h5py.Group, h5py.Dataset, h5py.Datatype)
    links = (h5py.SoftLink, h5py.ExternalLink, h5py.HardLink, h5py.Reference, h5py.RegionReference)
    return value is not None and not isinstance(value, (*known, *links))


def wanted_dtype(op, obj, given):
    """The type that a value gets: none, if it has its own."""
    if op == "AttributeManager.modify":
        return obj.get_id(given["name"]).dtype if given["name"] in obj else None
    if op != "Dataset.__setitem__":
        return given.get("dtype")
    dt = obj.dtype
    args = given["args"] if isinstance(given["args"], tuple) else (given["args"],)
    fields = [name for name in args if isinstance(name, str)]
    if dt.names is not None and len(fields) == 1 and fields[0] in dt.names:
        return dt.fields[fields[0]][0]
    return dt.base


def numpy_form(op, obj, given, value):
    """An array, or `None` where NumPy makes none of the value that has a type of ours."""
    try:
        dt = wanted_dtype(op, obj, given)
        if isinstance(dt, h5py.Datatype):
            dt = dt.dtype
        if dt is not None and h5py.check_vlen_dtype(np.dtype(dt)) is not None:
            return None
        array = base.array_for_new_object(value, specified_dtype=dt)
    except Exception:
        return None
    if array.dtype.kind == "O" and not array.dtype.metadata or array.dtype.kind == "U":
        return None
    return array


def encode_data(op, obj, given, value):
    array = numpy_form(op, obj, given, value) if is_plain(value) else None
    return encode(value) if array is None else {"array": encode_array(array)}
