"""Files with the filters of hdf5plugin, which HDF5 itself has not.

    python3 plugin_files.py make <directory>               prints the names of the files that were made
    python3 plugin_files.py compare <directory> <other>... prints "<name> same" for each whose copies hold the same:
                                                           elements, filters with parameters, and stored chunks
"""
import os
import sys

import h5py
import hdf5plugin
import numpy as np

FILTERS = {
    "lz4": hdf5plugin.LZ4(),
    "zstd": hdf5plugin.Zstd(),
    "bitshuffle": hdf5plugin.Bitshuffle(cname="none"),
    "bitshuffle-lz4": hdf5plugin.Bitshuffle(cname="lz4"),
    "bitshuffle-zstd": hdf5plugin.Bitshuffle(cname="zstd"),
    "blosc": hdf5plugin.Blosc(),
    "bzip2": hdf5plugin.BZip2(),
}
SHAPE, CHUNKS = (50, 200), (30, 70)


def make(directory):
    for name, options in FILTERS.items():
        with h5py.File(os.path.join(directory, f"{name}.h5"), "w") as f:
            data = np.arange(np.prod(SHAPE), dtype="<i4").reshape(SHAPE)
            f.create_dataset("x", data=data, chunks=CHUNKS, maxshape=(None, SHAPE[1]), **options)
        print(f"{name}.h5")


def facts(path):
    with h5py.File(path) as f:
        x = f["x"]
        plist = x.id.get_create_plist()
        filters = [plist.get_filter(index) for index in range(plist.get_nfilters())]
        starts = [(i, j) for i in range(0, SHAPE[0], CHUNKS[0]) for j in range(0, SHAPE[1], CHUNKS[1])]
        chunks = [x.id.read_direct_chunk(start) for start in starts]
        return (x[:].tolist(), x.maxshape, x.chunks, filters, chunks)


def compare(directory, *others):
    for name in sorted(FILTERS):
        expected = facts(os.path.join(directory, f"{name}.h5"))
        same = all(facts(os.path.join(other, f"{name}.h5")) == expected for other in others)
        print(f"{name}.h5 {'same' if same else 'differs'}")


{"make": make, "compare": compare}[sys.argv[1]](*sys.argv[2:])
