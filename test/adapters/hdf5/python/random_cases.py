"""Answers cases of random-cases.test.ts: a line of JSON each, in and out.

    {"dtype", "shape", "options", "fill", "data", "ops": [...]}  ->  [result, ...]

A result is {"shape", "data"} of what was read, {} of what was done, or {"error"}. Numbers are base64 of little-endian
elements, of the type that our API has in memory: booleans are bytes, complex numbers pairs, half floats single ones.
"""
import base64
import json
import sys

import h5py
import numpy as np


def dtype_of(given):
    if given == "text":
        return h5py.string_dtype()
    if isinstance(given, dict):
        return np.dtype([(name, dtype_of(member)) for name, member in given.items()])
    if isinstance(given, list):
        return np.dtype((dtype_of(given[0]), tuple(given[1])))
    return np.dtype(given)


def decode(given, shape):
    """An array of the program's own: {"dtype", "data"}, or columns."""
    dtype = dtype_of(given["dtype"])
    if dtype.kind == "O":
        array = np.empty(len(given["data"]), dtype=dtype)
        array[:] = given["data"]
        return array.reshape(shape)
    if dtype.kind == "S":
        return np.array([text.encode() for text in given["data"]], dtype=dtype).reshape(shape)
    if dtype.names is not None:
        array = np.empty(tuple(shape), dtype=dtype)
        for name in dtype.names:
            array[name] = decode(given["data"][name], shape)
        return array
    if dtype.subdtype is not None:
        base, inner = dtype.subdtype
        return np.frombuffer(base64.b64decode(given["data"]), dtype=base).reshape(tuple(shape) + inner)
    return np.frombuffer(base64.b64decode(given["data"]), dtype=dtype).reshape(shape)


def encode(array):
    array = np.asarray(array)
    if array.dtype.names is not None:
        return {name: encode(array[name]) for name in array.dtype.names}
    if array.dtype.kind in "OS":
        return [text.decode() if isinstance(text, bytes) else text for text in array.ravel().tolist()]
    if array.dtype.kind == "f" and array.dtype.itemsize == 2:
        array = array.astype("<f4")
    return base64.b64encode(np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()).decode()


def part(given):
    kind = given[0]
    if kind == "index":
        return given[1]
    if kind == "slice":
        return slice(*given[1:])
    if kind == "list":
        return np.array(given[1], dtype=np.int64)
    if kind == "mask":
        return np.array(given[1], dtype=bool).reshape(given[2])
    if kind == "blocks":
        start, stride, count, block = given[1:]
        return h5py.MultiBlockSlice(start=start, stride=stride, count=count, block=block)
    return {"ellipsis": Ellipsis, "all": slice(None)}[kind]


def check_lists(parts, shape):
    """Refuses lists out of bounds, at which h5py does not look where other parts select nothing."""
    at = next((place for place, given in enumerate(parts) if given[0] == "ellipsis"), len(parts))
    behind = len(parts) - at - 1
    dimensions = [*range(at), None, *range(len(shape) - behind, len(shape))]
    for given, dimension in zip(parts, dimensions):
        if given[0] == "list" and dimension is not None and 0 <= dimension < len(shape):
            extent = shape[dimension]
            if any(not -extent <= place < extent for place in given[1]):
                raise IndexError("a list is out of bounds")


def index(parts, shape):
    check_lists(parts, shape)
    return tuple(part(given) for given in parts)


def make(file, name, case):
    options = dict(case["options"])
    if "maxshape" in options:
        options["maxshape"] = tuple(options["maxshape"])
    if "chunks" in options:
        options["chunks"] = tuple(options["chunks"])
    dtype = dtype_of(case["dtype"])
    dataset = file.create_dataset(name, shape=tuple(case["shape"]), dtype=dtype, **options)
    if case["data"] is not None and dataset.size:
        dataset[...] = decode(case["data"], case["shape"])
    return dataset


def play(dataset, op):
    if op["op"] == "resize":
        dataset.resize(tuple(op["size"]))
        return {}
    selection = index(op["selection"], dataset.shape)
    if op["op"] == "write":
        dataset[selection] = decode(op["values"], op["shape"])
        return {}
    if op["op"] == "convert":
        read = dataset.astype(op["dtype"])[selection]
    elif op["op"] == "field":
        read = dataset.fields(op["field"])[selection]
    else:
        read = dataset[selection]
    read = np.asarray(read)
    return {"shape": list(read.shape), "data": encode(read)}


def answer(file, name, case):
    try:
        dataset = make(file, name, case)
    except Exception as error:
        return [{"error": f"{type(error).__name__}: {error}"}]
    results = [{}]
    for op in case["ops"]:
        try:
            results.append(play(dataset, op))
        except Exception as error:
            results.append({"error": f"{type(error).__name__}: {error}"})
    return results


def main():
    for line in sys.stdin:
        # A file of its own: what was never written shows what other datasets left in it.
        with h5py.File("case.h5", "w", driver="core", backing_store=False) as file:
            print(json.dumps(answer(file, "d", json.loads(line))), flush=True)


main()
