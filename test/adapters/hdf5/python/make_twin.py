"""Makes an .h5 file with h5py's high-level API: the twin of what twin.test.ts makes with ours.

    python3 make_twin.py <path>

Both have the same objects, by name.
"""
import os
import sys

for name in list(os.environ):
    if name.startswith(("OMPI_", "PMIX_", "PMI_", "MPI_")):
        del os.environ[name]

import h5py  # noqa: E402
import numpy as np  # noqa: E402


def numbers(group):
    for name in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
        data = np.array([0, 1, 2, 100, 127], name)
        group.create_dataset(name, data=data)
        group.create_dataset(f"{name} big", data=data.astype(f">{name}"))
    for name in ["f2", "f4", "f8"]:
        data = np.array([0, -0.0, 1.5, -2.25, 1 / 3, 65504, 6e-8, np.inf, -np.inf], name)
        group.create_dataset(name, data=data)
        group.create_dataset(f"{name} big", data=data.astype(f">{name}"))
    group.create_dataset("bool", data=np.array([True, False, True]))
    group.create_dataset("c8", data=np.array([1 + 2j, -1j], "c8"))
    group.create_dataset("c16", data=np.array([[1 + 2j, -1j]], "c16"))
    enum = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 42}, basetype="i1")
    group.create_dataset("enum", data=np.array([42, 0, 1], "i1"), dtype=enum)


def text(group):
    group.create_dataset("any length", data=["one", "", "drei ü"], dtype=h5py.string_dtype())
    group.create_dataset("ascii", data=["a", "bc"], dtype=h5py.string_dtype("ascii"))
    group.create_dataset("fixed", data=np.array([b"abc", b"", b"abcdef"], "S6"))
    group.create_dataset("fixed utf8", data=np.array(["ü".encode(), b"x"], h5py.string_dtype("utf-8", 4)))
    group.create_dataset("scalar", data="all of it")


def composed(group):
    pair = np.dtype([("x", "f8"), ("n", "i4"), ("name", "S4")])
    group.create_dataset("table", data=np.array([(1.5, 7, b"a"), (2.5, -8, b"bcd")], pair))
    nested = np.dtype([("id", "u2"), ("at", [("x", "f4"), ("y", "f4")]), ("box", "i1", (2, 3))])
    data = np.zeros(2, nested)
    data["id"] = [1, 2]
    data["at"]["x"] = [0.5, 1.5]
    data["at"]["y"] = [-0.5, -1.5]
    data["box"] = np.arange(12).reshape(2, 2, 3)
    group.create_dataset("nested", data=data)
    aligned = np.dtype({"names": ["a", "b"], "formats": ["i1", "f8"], "offsets": [0, 8], "itemsize": 16})
    # What lies between members is not the same everywhere: zeros.
    data = np.zeros(2, aligned)
    data["a"], data["b"] = [1, 2], [3, 4]
    group.create_dataset("aligned", data=data)
    array = group.create_dataset("arrays", (2,), dtype=np.dtype(("f4", (2, 2))))
    array[...] = np.arange(8).reshape(2, 2, 2)
    ragged = group.create_dataset("ragged", (3,), dtype=h5py.vlen_dtype("i4"))
    ragged[0], ragged[2] = np.array([1, 2, 3], "i4"), np.array([9], "i4")
    words = group.create_dataset("words", (2,), dtype=h5py.vlen_dtype(h5py.string_dtype()))
    words[0] = ["a", "bc"]
    group.create_dataset("opaque", data=np.array([b"\x01\x02\x03", b"\x00\xff\x00"], "V3"))


def storage(group):
    data = np.arange(60, dtype="i4").reshape(6, 10)
    group.create_dataset("chunked", data=data, chunks=(4, 3))
    group.create_dataset("guessed", (1000, 300), dtype="f8", chunks=True)
    group.create_dataset("guessed limits", (0, 5), dtype="i2", maxshape=(None, 5))
    group.create_dataset("gzip", data=data, compression="gzip", compression_opts=7, chunks=(3, 10))
    group.create_dataset("gzip by level", data=data, compression=2, chunks=(3, 10))
    group.create_dataset("lzf", data=data, compression="lzf", chunks=(6, 10))
    group.create_dataset("all", data=data, compression="gzip", shuffle=True, fletcher32=True, chunks=(3, 5))
    group.create_dataset("szip", data=data, compression="szip", chunks=(4, 5))
    group.create_dataset("szip ec", data=data, compression="szip", compression_opts=("ec", 16), chunks=(6, 10))
    group.create_dataset("bits", data=data, scaleoffset=True, chunks=(4, 5))
    group.create_dataset("digits", data=data / 8, scaleoffset=3, compression="gzip", chunks=(4, 5))
    group.create_dataset("fill", (3,), dtype="f4", fillvalue=-1.5)
    group.create_dataset("fill chunked", (3, 3), dtype="u2", fillvalue=7, chunks=(2, 2))
    fill = np.dtype([("a", "i4"), ("b", "f8")])
    group.create_dataset("fill table", (2,), dtype=fill, fillvalue=np.array((3, 0.5), fill))
    grown = group.create_dataset("grown", data=data, maxshape=(None, None), chunks=(4, 4))
    grown.resize((8, 12))
    grown[6:, 10:] = 5
    shrunk = group.create_dataset("shrunk", data=data, maxshape=(6, 20), chunks=(4, 4), compression="gzip")
    shrunk.resize(3, axis=0)
    shrunk.resize((5, 12))
    group.create_dataset("null", data=h5py.Empty("f4"))
    group.create_dataset("scalar", data=3.5)
    group.create_dataset("nothing", (0, 3), dtype="i8")


def selections(group):
    d = group.create_dataset("written", (5, 6), dtype="i4")
    d[1:4, ::2] = 1
    d[0] = np.arange(6)
    d[[1, 4], 3] = [70, 71]
    d[:, 5] = 9
    mask = np.zeros((5, 6), bool)
    mask[2, 1] = mask[3, 4] = True
    d[mask] = [101, 102]
    d[2:4] = np.array([[5], [6]], "i4") * np.ones((1, 6), "i4")
    like = group.create_dataset_like("like", d, dtype="f8", chunks=(2, 2))
    like[...] = d[...] / 2
    fields = group.create_dataset("fields", (3,), dtype=[("a", "i4"), ("b", "f8")])
    fields["a"] = [1, 2, 3]
    fields[1:, "b"] = 0.5


def attributes(group):
    a = group.attrs
    a["text"] = "ü"
    a["number"] = np.float64(1.5)
    a["integer"] = np.int64(-7)
    a["true"] = np.bool_(True)
    a["list"] = np.array([1, 2], "u1")
    a["grid"] = np.arange(6, dtype="f8").reshape(2, 3)
    a["words"] = np.array(["a", "bc"], h5py.string_dtype())
    a["none"] = h5py.Empty("i4")
    a.create("made", [1, 2], dtype="f4")
    a.create("zeros", np.zeros((2, 2)), shape=(2, 2), dtype="i2")
    a.create("changed", [1, 2, 3], dtype="i2")
    a.modify("changed", [4, 5, 6])
    a["long"] = np.arange(20000, dtype="f8")
    a["complex"] = np.complex128(1 - 1j)
    a["pair"] = np.array((1, 2.5), [("a", "i4"), ("b", "f8")])
    a["gone"] = "x"
    del a["gone"]
    a["renamed"] = a["number"]


def links(group):
    first = group.create_dataset("first", data=np.int32(1))
    group["second name"] = first
    group["soft"] = h5py.SoftLink("first")
    group["external"] = h5py.ExternalLink("other.h5", "/x")
    group["type"] = np.dtype("f4")
    group.create_dataset("typed", (2,), dtype=group["type"])
    group.create_group("moved").attrs["a"] = np.float64(1)
    group.move("moved", "new place")
    tree = group.create_group("tree")
    tree.create_dataset("below/d", data=np.arange(5, dtype="i1"), chunks=(2,))
    tree["below/soft"] = h5py.SoftLink("d")
    tree.attrs["kept"] = "yes"
    group.copy("tree", "copied")
    group.copy("tree", "shallow", shallow=True)
    group.require_group("required")
    group.require_dataset("required/d", (2,), "i4")
    ordered = group.create_group("ordered", track_order=True)
    for name in ["z", "a", "m"]:
        ordered.create_group(name)
        ordered.attrs[name] = np.float64(1)


def references(group):
    data = group.create_dataset("data", data=np.arange(12, dtype="i4").reshape(3, 4))
    refs = group.create_dataset("refs", (3,), dtype=h5py.ref_dtype)
    refs[0], refs[1] = data.ref, group.ref
    regions = group.create_dataset("regions", (1,), dtype=h5py.regionref_dtype)
    regions[0] = data.regionref[1:3, ::2]
    group.attrs["ref"] = data.ref


def scales(group):
    data = group.create_dataset("data", (3, 4), dtype="f8")
    x = group.create_dataset("x", data=np.arange(3, dtype="f8"))
    y = group.create_dataset("y", data=np.arange(4, dtype="f8"))
    x.make_scale("x name")
    y.make_scale()
    data.dims[0].label = "rows"
    data.dims[0].attach_scale(x)
    data.dims[1].attach_scale(y)
    data.dims[1].attach_scale(x)
    data.dims[1].detach_scale(x)


def main():
    with h5py.File(sys.argv[1], "w", libver="latest") as file:
        for fill in [numbers, text, composed, storage, selections, attributes, links, references, scales]:
            fill(file.create_group(fill.__name__))


main()
