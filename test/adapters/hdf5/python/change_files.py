"""Changes files through libhdf5, and checks them again: what only reads may oversee what is wrong.

    python3 change_files.py <file>...

Each has a group of many links as its root, a chunked dataset "d" that can grow, with many attributes "a0", "a1" ...,
and a dataset "text" of variable length. Prints "changed" for each.
"""
import sys

import h5py
import numpy as np

for path in sys.argv[1:]:
    with h5py.File(path, "r+") as f:
        names = list(f)
        before = f["d"][:]
        kept = [name for index, name in enumerate(names) if index % 2 == 0 or name in ("d", "text")]
        for name in names:
            if name not in kept:
                del f[name]
        for index in range(300):
            f.create_group(f"new {index}").attrs["x"] = index
        f["d"].resize((2000,))
        f["d"][700:] = np.arange(1300)
        f["d"][0] = -1
        for index in range(0, 50, 2):
            del f["d"].attrs[f"a{index}"]
        for index in range(100):
            f["d"].attrs[f"new {index}"] = np.full(40, index)
        f["text"][1] = "longer than before"
    with h5py.File(path, "r") as f:
        assert sorted(f) == sorted(kept + [f"new {index}" for index in range(300)])
        assert all(f[f"new {index}"].attrs["x"] == index for index in range(300))
        expected = np.zeros(2000, "<i4")
        expected[:500] = before
        expected[700:] = np.arange(1300)
        expected[0] = -1
        assert (f["d"][:] == expected).all()
        attributes = [f"a{index}" for index in range(1, 50, 2)] + [f"new {index}" for index in range(100)]
        assert sorted(f["d"].attrs) == sorted(attributes)
        assert all((f["d"].attrs[f"new {index}"] == index).all() for index in range(100))
        assert [one.decode() for one in f["text"][:]] == ["abc", "longer than before"]
    print("changed")
