"""Datasets under every filter, of every number, in chunks that fit no block.

    python filter_files.py make <file> <n>   each group has "filtered" and "plain", the same elements as h5py reads them;
                                             prints as JSON what each filter of each group was asked for with; one of
                                             n combinations of filters, numbers and contents
    python filter_files.py check <file>      prints the names of groups whose "filtered" is not as "plain"
"""
import json
import sys

import h5py
import hdf5plugin  # noqa: F401, registers its filters
import numpy as np

OPTIONAL = h5py.h5z.FLAG_OPTIONAL
# Names and what H5Pset_filter is given, in the order of the pipeline.
PIPELINES = {
    "nbit": [(5, ())],
    "szip-nn": [(4, (160, 8))],
    "szip-ec": [(4, (132, 32))],
    "szip-odd": [(4, (160, 10))],
    "shuffle-szip": [(2, ()), (4, (160, 16))],
    "scale": [(6, None)],
    "scale-deflate": [(6, None), (2, ()), (1, (4,)), (3, ())],
    "lz4": [(32004, ())],
    "lz4-blocks": [(2, ()), (32004, (100,)), (3, ())],
    "zstd": [(32015, (9,))],
    "bitshuffle": [(32008, (0, 0))],
    "bitshuffle-lz4-blocks": [(32008, (16, 2))],
    "bitshuffle-lz4": [(32008, (0, 2)), (3, ())],
    "bitshuffle-zstd": [(32008, (64, 3, 5))],
    "blosc": [(32001, (0, 0, 0, 0, 5, 1, 0))],
    "blosc-bits": [(32001, (0, 0, 0, 0, 9, 2, 0)), (3, ())],
    "blosc-lz4": [(32001, (0, 0, 0, 0, 5, 0, 1))],
    "blosc-lz4-bits": [(32001, (0, 0, 0, 0, 5, 2, 1))],
    "blosc-lz4hc": [(32001, (0, 0, 0, 0, 5, 2, 2))],
    "blosc-zlib": [(32001, (0, 0, 0, 0, 3, 1, 4))],
    "blosc-zstd": [(2, ()), (32001, (0, 0, 0, 0, 9, 0, 5))],
}
NUMBERS = [order + kind for kind in ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8") for order in "<>"]
NUMBERS = [n for n in NUMBERS if n not in (">i1", ">u1")]
# Bits of an element that count, and the lowest one.
NARROW = {"i2": (11, 3), "u4": (17, 0), "i8": (40, 13), "u1": (3, 2), "i4": (8, 8)}
GIVEN = {}
SHAPES = {"line": ((1000,), (333,)), "plane": ((23, 40), (9, 17))}


def contents(dtype, rng, shape):
    n = int(np.prod(shape))
    kind = dtype[1]
    info = np.finfo(dtype) if kind == "f" else np.iinfo(dtype)
    smooth = np.cumsum(rng.integers(-3, 4, n))
    if kind == "u":
        smooth -= smooth.min()
    smooth = smooth.astype(dtype)
    wild = rng.integers(0, 256, n * smooth.itemsize, dtype="u1").view(dtype)
    if kind == "f":
        wild = np.where(np.isfinite(wild), wild, 1).astype(dtype)
        smooth = (smooth / 7).astype(dtype)
    zeros = np.zeros(n, dtype)
    zeros[rng.integers(0, n, 5)] = 3
    least, largest = (info.min / 1e5, info.max / 1e5) if kind == "f" else (info.min, info.max)
    ends = np.where(rng.integers(0, 2, n), largest, least).astype(dtype)
    return {"smooth": smooth, "wild": wild, "zeros": zeros, "ends": ends, "same": np.full(n, 7, dtype)}


def scale(dtype, kind):
    if dtype[1] == "f":
        return (0, 3 if kind != "wild" else 0)
    return (2, 0)


def add(f, name, htype, data, pipeline, chunks, fill=None):
    space = h5py.h5s.create_simple(data.shape)
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk(chunks)
    if fill is not None:
        plist.set_fill_value(np.asarray(fill, data.dtype))
    for number, values in pipeline:
        flags = 0 if number == 3 else OPTIONAL
        plist.set_filter(number, flags, tuple(values))
    group = f.create_group(name)
    filtered = h5py.h5d.create(group.id, b"filtered", htype, space, plist)
    filtered.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(data))
    GIVEN[f"/{name}"] = [values for _, values in pipeline]


def add_plain(f):
    """Of a file that was opened again: a chunk in memory has lost nothing yet."""
    def visit(_, node):
        if isinstance(node, h5py.Group) and "filtered" in node:
            filtered = node["filtered"].id
            read = np.empty(filtered.shape, filtered.dtype)
            filtered.read(h5py.h5s.ALL, h5py.h5s.ALL, read)
            plain = h5py.h5d.create(node.id, b"plain", filtered.get_type(), filtered.get_space())
            plain.write(h5py.h5s.ALL, h5py.h5s.ALL, read)
    f.visititems(visit)


def make(path, one_of):
    rng = np.random.default_rng(1)
    with h5py.File(path, "w") as f:
        for at, (name, pipeline) in enumerate(PIPELINES.items()):
            for index, dtype in enumerate(NUMBERS):
                shape_name = list(SHAPES)[(at + index) % 2]
                shape, chunks = SHAPES[shape_name]
                kinds = contents(dtype, rng, shape)
                for number, kind in enumerate(kinds):
                    if (index + number + at) % one_of > 0:
                        continue
                    data = kinds[kind].reshape(shape)
                    used = [(n, scale(dtype, kind) if v is None else v) for n, v in pipeline]
                    fill = 7 if kind in ("smooth", "same") and number % 2 == 0 else None
                    full = f"{name}/{dtype}/{kind}"
                    add(f, full, h5py.h5t.py_create(np.dtype(dtype)), data, used, chunks, fill)
        narrow(f, rng)
    with h5py.File(path, "r+") as f:
        add_plain(f)
    print(json.dumps(GIVEN))


def narrow(f, rng):
    """Types with spare bits, in numbers, arrays and compounds."""
    shape, chunks = SHAPES["plane"]
    types = {}
    for number, (precision, offset) in NARROW.items():
        for order in "<>" if number != "u1" else "<":
            dtype = np.dtype(order + number)
            htype = h5py.h5t.py_create(dtype).copy()
            htype.set_precision(precision)
            htype.set_offset(offset)
            types[dtype.str] = (dtype, htype)
            data = rng.integers(0, 2 ** min(precision - 1, 60), shape).astype(dtype)
            add(f, f"narrow/nbit/{dtype.str}", htype, data, [(5, ())], chunks)
            # Elements of more than one byte that begin with significant bits are the samples that szip can cut.
            if offset == 0:
                add(f, f"narrow/szip/{dtype.str}", htype, data, [(4, (160, 8))], chunks)
    dtype = np.dtype([("a", "<i2"), ("b", ">u4", (3,)), ("c", "S5"), ("d", "<f4")])
    htype = h5py.h5t.create(h5py.h5t.COMPOUND, dtype.itemsize)
    htype.insert(b"a", 0, types["<i2"][1])
    htype.insert(b"b", 2, h5py.h5t.array_create(types[">u4"][1], (3,)))
    htype.insert(b"c", 14, h5py.h5t.py_create(np.dtype("S5")))
    htype.insert(b"d", 19, h5py.h5t.py_create(np.dtype("<f4")))
    data = np.zeros(shape, dtype)
    data["a"] = rng.integers(-500, 500, shape)
    data["b"] = rng.integers(0, 1 << 17, shape + (3,))
    data["c"] = b"ab"
    data["d"] = rng.normal(size=shape)
    add(f, "narrow/nbit/compound", htype, data, [(5, ())], chunks)


def check(path):
    with h5py.File(path) as f:
        def visit(name, node):
            if isinstance(node, h5py.Group) and "filtered" in node:
                filtered, plain = node["filtered"], node["plain"]
                if filtered[...].tobytes() != plain[...].tobytes():
                    print(name)
        f.visititems(visit)


if sys.argv[1] == "make":
    make(sys.argv[2], int(sys.argv[3]))
else:
    check(sys.argv[2])
