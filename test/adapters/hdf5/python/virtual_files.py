"""Virtual datasets of every kind of mapping.

    python virtual_files.py make <folder>    makes main.h5 and its sources
    python virtual_files.py read <folder>    prints as JSON what each dataset of main.h5 shows: its shape, its bytes in hex
"""
import json
import os
import sys

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

UNLIMITED = h5s.UNLIMITED


def add(f, name, dtype, shape, mappings, maxshape=None, fill=None):
    """Mappings: (target space, file, dataset, source space)."""
    plist = h5p.create(h5p.DATASET_CREATE)
    if fill is not None:
        plist.set_fill_value(np.asarray(fill, dtype))
    for target, file, dataset, source in mappings:
        plist.set_virtual(target, file.encode(), dataset.encode(), source)
    space = h5s.create_simple(shape, maxshape or shape)
    h5d.create(f.id, name.encode(), h5t.py_create(np.dtype(dtype)), space, plist)


def slab(shape, start, count, stride=None, block=None, maxshape=None):
    space = h5s.create_simple(shape, maxshape or shape)
    space.select_hyperslab(start, count, stride, block)
    return space


def make():
    os.makedirs("sub", exist_ok=True)
    for number in range(4):
        with h5py.File(f"part-{number}.h5", "w") as f:
            f["tile"] = np.arange(20, dtype="<i4").reshape(4, 5) + 100 * number
            f.create_dataset("grown", data=np.arange(10 + number, dtype="<i4"), maxshape=(None,), chunks=(4,), compression="gzip")
            f.create_group("g")[f"of-{number}"] = np.full((2, 3), number, "<i4")
            f["100%"] = np.full(3, 7, "<i4")
    with h5py.File("sub/deep.h5", "w") as f:
        f["a/b"] = np.linspace(0, 1, 12).astype(">f8")
        f["records"] = np.array([(1, 2.5), (3, 4.5)], [("n", "<i2"), ("x", "<f4")])
    with h5py.File("main.h5", "w") as f:
        whole = h5s.create_simple((4, 5))
        tiles = [
            (slab((8, 10), (4 * (n // 2), 5 * (n % 2)), (4, 5)), f"part-{n}.h5", "tile", whole) for n in range(4)
        ]
        add(f, "tiles", "<i4", (8, 10), tiles)
        strided = [
            (slab((8, 10), (n, 0), (4, 1), (2, 1), (1, 5)), f"part-{n}.h5", "tile", whole) for n in range(2)
        ]
        add(f, "strided", "<i4", (8, 10), strided, fill=-3)
        columns = [
            (slab((3, 8), (n, 1), (1, 4), (1, 2)), f"part-{n}.h5", "grown", slab((10,), (n,), (4,), (2,)))
            for n in range(3)
        ]
        add(f, "columns", "<i4", (3, 8), columns, fill=9)
        add(f, "reshaped", ">f8", (3, 4), [(h5s.create_simple((3, 4)), "sub/deep.h5", "a/b", h5s.create_simple((12,)))])
        add(f, "records", [("n", "<i2"), ("x", "<f4")], (3,), [(slab((3,), (1,), (2,)), "sub/deep.h5", "/records", h5s.create_simple((2,)))])
        corner = slab((6, 6), (0, 0), (2, 2))
        corner.select_hyperslab((3, 3), (2, 3), op=h5s.SELECT_OR)
        add(f, "corner", "<i4", (6, 6), [(corner, "part-1.h5", "grown", slab((11,), (1,), (10,)))], fill=-1)
        holes = [
            (slab((12,), (0,), (3,)), "none.h5", "data", slab((3,), (0,), (3,))),
            (slab((12,), (3,), (3,)), "part-0.h5", "none", slab((3,), (0,), (3,))),
            (slab((12,), (6,), (3,)), "part-0.h5", "grown", slab((10,), (0,), (3,))),
        ]
        add(f, "holes", "<i4", (12,), holes, fill=55)
        f["here"] = np.arange(7, dtype="<i8")
        add(f, "own", "<i8", (9,), [(slab((9,), (2,), (7,)), ".", "here", h5s.create_simple((7,)))])
        add(f, "nested", "<i8", (2, 9), [(slab((2, 9), (1, 0), (1, 9)), ".", "/own", h5s.create_simple((9,)))], fill=1)
        endless = [
            (
                slab((4,), (2 * n,), (UNLIMITED,), (4,), (2,), (UNLIMITED,)),
                f"part-{n}.h5",
                "grown",
                slab((10,), (0,), (UNLIMITED,), (1,), (1,), (UNLIMITED,)),
            )
            for n in range(2)
        ]
        add(f, "endless", "<i4", (4,), endless, (UNLIMITED,), fill=-7)
        add(f, "flow", "<i4", (1,), [(
            slab((1,), (3,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)),
            "part-2.h5",
            "grown",
            slab((12,), (1,), (1,), (1,), (UNLIMITED,), (UNLIMITED,)),
        )], (UNLIMITED,))
        add(f, "numbered", "<i4", (2, 3), [(
            slab((2, 3), (0, 0), (UNLIMITED, 1), (2, 1), (2, 3), (UNLIMITED, 3)),
            "part-%b.h5",
            "g/of-%b",
            h5s.create_simple((2, 3)),
        )], (UNLIMITED, 3))
        line = slab((10,), (0,), (10,))
        add(f, "converted", ">f8", (10,), [(line, "part-0.h5", "grown", line)])
        f["odd"] = np.array([1.75, -2.5, 300, -1e20, 7], ">f4")
        five = h5s.create_simple((5,))
        add(f, "cut", "i1", (5,), [(five, ".", "odd", five)])
        add(f, "percent", "<i4", (3,), [(h5s.create_simple((3,)), "part-0.h5", "100%%", h5s.create_simple((3,)))])


def read():
    found = {}
    with h5py.File("main.h5") as f:
        for name in f:
            x = f[name]
            found[name] = [list(x.shape), x[...].tobytes().hex()]
    print(json.dumps(found))


os.chdir(sys.argv[2])
{"make": make, "read": read}[sys.argv[1]]()
