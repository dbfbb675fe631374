"""Makes .h5 files, one for each feature of HDF5, through h5py.

    python3 make_files.py <directory> <earliest|latest>

Prints the names of the files that were made, one a line. A feature that this h5py or HDF5 lacks is printed with a
minus sign and the reason.
"""
import ctypes
import os
import sys

for name in list(os.environ):
    if name.startswith(("OMPI_", "PMIX_", "PMI_", "MPI_")):
        del os.environ[name]

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from h5py import h5d, h5f, h5g, h5o, h5p, h5r, h5s, h5t  # noqa: E402

FEATURES = {}


def call(function, identifier, *numbers):
    """Calls a function of the C library that h5py does not offer."""
    maps = open("/proc/self/maps").read().splitlines()
    library = ctypes.CDLL(next(line.split()[-1] for line in maps if "libhdf5" in line and "_hl" not in line))
    status = getattr(library, function)(ctypes.c_int64(identifier), *(ctypes.c_uint(one) for one in numbers))
    if status < 0:
        raise NotImplementedError(f"{function} failed")


def feature(make):
    FEATURES[make.__name__.replace("_", "-")] = make
    return make


def feature_of(name):
    def register(make):
        FEATURES[name] = make
        return make

    return register


# Types of numbers.
for code in ["<i1", "<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<u1", "<u2", ">u2", "<u4", ">u4", "<u8", ">u8",
             "<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "<c8", ">c16", "<g"]:
    label = ("little" if code[0] == "<" else "big") + "-" + code[1:]

    @feature_of(f"type-{label}")
    def numbers(f, code=code):
        f["x"] = np.arange(-3, 9).astype(code).reshape(3, 4)
        f.attrs["x"] = np.arange(3).astype(code)


def bits(kind, size, precision, offset, pad=(h5t.PAD_ZERO, h5t.PAD_ZERO)):
    tid = kind.copy()
    tid.set_size(size)
    tid.set_precision(precision)
    tid.set_offset(offset)
    tid.set_pad(*pad)
    return tid


def raw_dataset(f, tid, count=5, seed=1):
    """A dataset with bytes that look random, written in the file's own type."""
    did = h5d.create(f.id, b"x", tid, h5s.create_simple((count,)))
    raw = np.random.default_rng(seed).integers(0, 256, count * tid.get_size(), dtype="u1")
    did.write(h5s.ALL, h5s.ALL, raw.view(f"V{tid.get_size()}"), tid)


@feature
def type_24_bits(f):
    tid = h5t.STD_I32LE.copy()
    tid.set_precision(24)
    tid.set_size(3)
    raw_dataset(f, tid)


@feature
def type_reduced_precision(f):
    raw_dataset(f, bits(h5t.STD_U32BE, 4, 11, 5))


@feature
def type_padding_of_ones(f):
    raw_dataset(f, bits(h5t.STD_I16LE, 2, 9, 3, (h5t.PAD_ONE, h5t.PAD_ONE)))


@feature
def type_bfloat16(f):
    tid = h5t.IEEE_F32LE.copy()
    tid.set_fields(15, 7, 8, 0, 7)
    tid.set_size(2)
    tid.set_ebias(127)
    raw_dataset(f, tid)


@feature
def type_bitfield(f):
    raw_dataset(f, h5t.STD_B16BE)


@feature
def type_opaque(f):
    tid = h5t.create(h5t.OPAQUE, 7)
    tid.set_tag(b"seven bytes")
    raw_dataset(f, tid)


@feature
def type_opaque_numpy(f):
    f["t"] = np.array(["2019-09-22T17:38:30"], "M8[s]").astype(h5py.opaque_dtype("M8[s]"))


@feature
def type_bool(f):
    f["x"] = np.array([True, False, True])
    f.attrs["yes"] = True


@feature
def type_enum(f):
    dtype = h5py.enum_dtype({"low": -(2**40), "zero": 0, "high": 2**40, "größe": 7}, basetype=">i8")
    f.create_dataset("x", data=np.array([0, 7, 2**40], ">i8"), dtype=dtype)


@feature
def type_enum_unsigned(f):
    f.create_dataset("x", data=[1, 200], dtype=h5py.enum_dtype({"a": 1, "b": 200}, basetype="u1"))


@feature
def type_compound(f):
    dtype = np.dtype([("a", "<i4"), ("b", ">f8"), ("name", "S6"), ("flag", "?")])
    f["x"] = np.array([(1, 2.5, b"one", True), (-7, 1e300, b"seven", False)], dtype)


@feature
def type_compound_aligned(f):
    f["x"] = np.zeros(3, np.dtype([("a", "i1"), ("b", "f8"), ("c", "i2")], align=True))


@feature
def type_compound_nested(f):
    inner = np.dtype([("x", "<f4"), ("y", "<f4", (2, 3))])
    f["x"] = np.zeros(4, np.dtype([("p", inner), ("q", inner, (2,)), ("z", "<c8")]))


@feature
def type_compound_many_members(f):
    f["x"] = np.zeros(2, np.dtype([(f"member {number}", "<i2") for number in range(300)]))


@feature
def type_array(f):
    f.create_dataset("x", (3,), np.dtype(("<i4", (2, 5))))[...] = np.arange(30).reshape(3, 2, 5)


@feature
def type_string_fixed(f):
    f["ascii"] = np.array([b"", b"abc", b"abcdef"], "S6")
    f.create_dataset("utf8", data=["größe".encode()], dtype=h5py.string_dtype("utf-8", 10))


@feature
def type_string_paddings(f):
    for name, pad in [(b"nullterm", h5t.STR_NULLTERM), (b"nullpad", h5t.STR_NULLPAD), (b"spacepad", h5t.STR_SPACEPAD)]:
        tid = h5t.C_S1.copy()
        tid.set_size(5)
        tid.set_strpad(pad)
        h5d.create(f.id, name, tid, h5s.create(h5s.SCALAR)).write(h5s.ALL, h5s.ALL, np.array(b"ab   ", "S5"))


@feature
def type_string_vlen(f):
    f.create_dataset("utf8", data=["", "é", "x" * 5000], dtype=h5py.string_dtype())
    f.create_dataset("ascii", data=[b"abc", b""], dtype=h5py.string_dtype("ascii"))
    f.create_dataset("scalar", data="one", dtype=h5py.string_dtype())
    f.create_dataset("unwritten", (4,), h5py.string_dtype())


@feature
def type_vlen(f):
    x = f.create_dataset("x", (3,), h5py.vlen_dtype("<i4"))
    x[0], x[2] = [1, 2, 3], list(range(2000))


@feature
def type_vlen_of_strings(f):
    x = f.create_dataset("x", (2,), h5py.vlen_dtype(h5py.string_dtype()))
    x[0] = np.array(["a", "bc"], object)


@feature
def type_compound_with_vlen(f):
    dtype = np.dtype([("n", "<i4"), ("text", h5py.string_dtype()), ("list", h5py.vlen_dtype("<f4"))])
    x = f.create_dataset("x", (2,), dtype)
    x[0] = (1, "one", np.arange(3, dtype="f4"))


@feature
def type_references(f):
    f["group/data"] = np.arange(12).reshape(3, 4)
    x = f.create_dataset("x", (3,), h5py.ref_dtype)
    x[0], x[1] = f["group"].ref, f["group/data"].ref
    f.attrs["root"] = f.ref


@feature
def type_region_references(f):
    d = f.create_dataset("data", data=np.arange(120).reshape(10, 12))
    x = f.create_dataset("x", (6,), h5py.regionref_dtype)
    x[0], x[1], x[2] = d.regionref[2:4, 1:3], d.regionref[::3, 1:9:2], d.regionref[...]
    space = h5s.create_simple((10, 12))
    space.select_elements(np.array([[1, 2], [9, 11], [0, 0]]))
    x[3] = h5r.create(d.id, b".", h5r.DATASET_REGION, space)
    space.select_hyperslab((0, 0), (2, 2))
    space.select_hyperslab((5, 7), (1, 3), op=h5s.SELECT_OR)
    x[4] = h5r.create(d.id, b".", h5r.DATASET_REGION, space)
    f.attrs["region"] = d.regionref[1, 2:5]


@feature
def type_compound_with_references(f):
    f["d"] = np.arange(4)
    x = f.create_dataset("x", (2,), np.dtype([("to", h5py.ref_dtype), ("n", "i2"), ("part", h5py.regionref_dtype)]))
    x[1] = (f["d"].ref, 5, f["d"].regionref[1:3])


@feature
def type_vlen_of_references(f):
    f["d"] = 1
    x = f.create_dataset("x", (2,), h5py.vlen_dtype(h5py.ref_dtype))
    x[0] = np.array([f["d"].ref, f.ref], h5py.ref_dtype)


@feature
def type_committed(f):
    f["types/pair"] = np.dtype([("a", "<i4"), ("b", "<f4")])
    f["types/pair"].attrs["about"] = "a committed type"
    f.create_dataset("x", (3,), f["types/pair"])
    f.attrs.create("pair", np.zeros((), f["types/pair"].dtype), dtype=f["types/pair"])


# Dataspaces.
@feature
def space_null(f):
    f["x"] = h5py.Empty("<f4")
    f.attrs["x"] = h5py.Empty("S10")


@feature
def space_scalar(f):
    f["x"] = 42
    f["text"] = "text"


@feature
def space_zero_size(f):
    f.create_dataset("x", (0, 5), "<i4")
    f.create_dataset("y", (3, 0), "<i4", maxshape=(None, 4), chunks=(2, 2))


@feature
def space_unlimited(f):
    f.create_dataset("x", data=np.arange(20).reshape(4, 5), maxshape=(None, 10), chunks=(3, 2))


@feature
def space_rank_32(f):
    f.create_dataset("x", (1,) * 31 + (2,), "<i2")[...] = 5


# Layouts.
@feature
def layout_compact(f):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(h5d.COMPACT)
    did = h5d.create(f.id, b"x", h5t.STD_I32LE, h5s.create_simple((6,)), plist)
    did.write(h5s.ALL, h5s.ALL, np.arange(6, dtype="<i4"))


@feature
def layout_contiguous_unwritten(f):
    f.create_dataset("x", (3, 5), "<f8", fillvalue=2.5)


@feature
def layout_external(f):
    np.arange(100, dtype="<i4").tofile("part-1.raw")
    np.arange(100, 150, dtype="<i4").tofile("part-2.raw")
    files = [("part-1.raw", 40, 120), ("part-2.raw", 8, h5f.UNLIMITED)]
    f.create_dataset("x", (10, 7), "<i4", external=files)


@feature
def layout_chunked(f):
    f.create_dataset("x", data=np.arange(400, dtype="<i4").reshape(20, 20), chunks=(7, 6))


@feature
def layout_chunked_single(f):
    f.create_dataset("x", data=np.arange(40), chunks=(40,))
    f.create_dataset("y", data=np.arange(40), chunks=(40,), compression="gzip")


@feature
def layout_chunked_early(f):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((4, 3))
    plist.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    space = h5s.create_simple((10, 10))
    did = h5d.create(f.id, b"x", h5t.STD_I32LE, space, plist)
    did.write(h5s.ALL, h5s.ALL, np.arange(100, dtype="<i4").reshape(10, 10))


@feature
def layout_chunked_fixed(f):
    x = f.create_dataset("x", (100, 100), "<i2", chunks=(10, 10), compression="gzip")
    x[...] = np.arange(10_000).reshape(100, 100)


@feature
def layout_chunked_fixed_paged(f):
    x = f.create_dataset("x", (5000,), "<i2", chunks=(2,), maxshape=(6000,))
    x[4:40] = 7
    x[4900:] = np.arange(100)


@feature
def layout_chunked_extensible(f):
    x = f.create_dataset("x", (0, 6), "<i4", chunks=(2, 4), maxshape=(None, 6))
    x.resize((300, 6))
    x[...] = np.arange(1800).reshape(300, 6)


@feature
def layout_chunked_extensible_second(f):
    x = f.create_dataset("x", (5, 90), "<i4", chunks=(2, 3), maxshape=(8, None), compression="gzip", shuffle=True)
    x[...] = np.arange(450).reshape(5, 90)


@feature
def layout_chunked_extensible_paged(f):
    x = f.create_dataset("x", (60_000,), "u1", chunks=(2,), maxshape=(None,))
    x[:200] = 1
    x[30_000:30_500] = np.arange(500)
    x[59_990:] = 9


@feature
def layout_chunked_tree(f):
    x = f.create_dataset("x", (40, 40), "<f4", chunks=(3, 2), maxshape=(None, None), compression="gzip")
    x[...] = np.arange(1600).reshape(40, 40)


@feature
def layout_chunked_tree_deep(f):
    f.create_dataset("x", (3000,), "u1", chunks=(2,), maxshape=(None,))[:] = np.arange(3000) % 251
    f.create_dataset("y", (90, 90), "u1", chunks=(1, 2), maxshape=(None, None))[...] = 3


@feature
def layout_chunked_sparse(f):
    x = f.create_dataset("x", (1000, 1000), "<i4", chunks=(64, 64), fillvalue=-1)
    x[500:510, 3] = 5
    x[999, 999] = 6


@feature
def layout_chunked_shrunk(f):
    x = f.create_dataset("x", data=np.arange(100), chunks=(8,), maxshape=(None,))
    x.resize((37,))


@feature
def layout_chunked_partial_unfiltered(f):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((4,))
    plist.set_deflate(4)
    # H5D_CHUNK_DONT_FILTER_PARTIAL_CHUNKS
    call("H5Pset_chunk_opts", plist.id, 2)
    did = h5d.create(f.id, b"x", h5t.STD_I32LE, h5s.create_simple((10,)), plist)
    did.write(h5s.ALL, h5s.ALL, np.arange(10, dtype="<i4"))


@feature
def layout_virtual(f):
    with h5py.File("virtual-source.h5", "w") as source:
        source["data"] = np.arange(20, dtype="<i4")
    layout = h5py.VirtualLayout((4, 20), "<i4")
    source = h5py.VirtualSource("virtual-source.h5", "data", (20,))
    layout[0] = source
    layout[1, 0:10] = source[10:20]
    layout[2, ::2] = source[0:10]
    f.create_virtual_dataset("x", layout, fillvalue=-3)
    f["here"] = np.arange(7)
    own = h5py.VirtualLayout((7,), "<i8")
    own[...] = h5py.VirtualSource(".", "here", (7,))
    f.create_virtual_dataset("own", own)


@feature
def layout_virtual_unlimited(f):
    with h5py.File("virtual-growing.h5", "w") as source:
        source.create_dataset("data", data=np.arange(6, dtype="<i4"), maxshape=(None,), chunks=(4,))
    layout = h5py.VirtualLayout((6,), "<i4", maxshape=(None,))
    layout[0 : h5s.UNLIMITED] = h5py.VirtualSource("virtual-growing.h5", "data", (6,), maxshape=(None,))[0 : h5s.UNLIMITED]
    f.create_virtual_dataset("x", layout)


@feature
def layout_virtual_printf(f):
    for number in range(3):
        with h5py.File(f"virtual-{number}.h5", "w") as source:
            source["data"] = np.full(4, number, "<i4")
    plist = h5p.create(h5p.DATASET_CREATE)
    target = h5s.create_simple((3, 4), (h5s.UNLIMITED, 4))
    target.select_hyperslab((0, 0), (h5s.UNLIMITED, 1), (1, 1), (1, 4))
    plist.set_virtual(target, b"virtual-%b.h5", b"data", h5s.create_simple((4,)))
    h5d.create(f.id, b"x", h5t.STD_I32LE, h5s.create_simple((3, 4), (h5s.UNLIMITED, 4)), plist)


# Fill values.
@feature
def fill_value(f):
    f.create_dataset("x", (10,), "<i2", fillvalue=-5, chunks=(3,))[2:5] = 1
    dtype = np.dtype([("a", "<i4"), ("b", "<f4")])
    f.create_dataset("compound", (4,), dtype, fillvalue=np.array((7, 1.5), dtype), chunks=(2,))


@feature
def fill_value_text(f):
    f.create_dataset("x", (3,), "S4", fillvalue=b"none")


@feature
def fill_times(f):
    for name, time in [(b"alloc", h5d.FILL_TIME_ALLOC), (b"never", h5d.FILL_TIME_NEVER), (b"ifset", h5d.FILL_TIME_IFSET)]:
        for place, allocation in [(b"late", h5d.ALLOC_TIME_LATE), (b"early", h5d.ALLOC_TIME_EARLY)]:
            plist = h5p.create(h5p.DATASET_CREATE)
            plist.set_fill_time(time)
            plist.set_alloc_time(allocation)
            did = h5d.create(f.id, name + b"-" + place, h5t.STD_I32LE, h5s.create_simple((3,)), plist)
            did.write(h5s.ALL, h5s.ALL, np.arange(3, dtype="<i4"))


# Filters.
for label, options in {
    "gzip": {"compression": "gzip", "compression_opts": 9},
    "shuffle": {"shuffle": True},
    "fletcher32": {"fletcher32": True},
    "gzip-shuffle-fletcher32": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "scaleoffset": {"scaleoffset": True},
    "scaleoffset-float": {"scaleoffset": 3, "dtype": "<f4"},
    "scaleoffset-big": {"scaleoffset": True, "dtype": ">i4"},
    "szip": {"compression": "szip"},
    "lzf": {"compression": "lzf"},
}.items():

    @feature_of(f"filter-{label}")
    def filtered(f, options=options):
        options = {"dtype": "<i4", **options}
        if options.get("compression") == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
            raise NotImplementedError("no szip")
        x = f.create_dataset("x", (50, 30), chunks=(20, 8), **options)
        x[3:45] = (np.arange(42 * 30) % 77).reshape(42, 30)


@feature
def filter_nbit(f):
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_chunk((6,))
    plist.set_filter(h5py.h5z.FILTER_NBIT, h5py.h5z.FLAG_OPTIONAL)
    did = h5d.create(f.id, b"x", h5t.STD_I32LE, h5s.create_simple((20,)), plist)
    did.write(h5s.ALL, h5s.ALL, np.arange(20, dtype="<i4"))


@feature
def filter_mask(f):
    x = f.create_dataset("x", (8,), "<i4", chunks=(4,), compression="gzip", shuffle=True)
    x[4:] = 5
    x.id.write_direct_chunk((0,), np.arange(4, dtype="<i4").tobytes(), filter_mask=3)


@feature
def filter_of_vlen(f):
    x = f.create_dataset("x", (9,), h5py.string_dtype(), chunks=(4,), compression="gzip")
    x[2:5] = ["a", "bb", "ccc"]


# Links.
@feature
def links_hard(f):
    f["group/data"] = np.arange(3)
    f["again"] = f["group/data"]
    f["loop/back"] = f["/"]
    f["group/self"] = f["group"]


@feature
def links_soft_and_external(f):
    f["data"] = 1
    f["soft"] = h5py.SoftLink("/data")
    f["dangling"] = h5py.SoftLink("nowhere/../at all")
    f["external"] = h5py.ExternalLink("other file.h5", "/path/größe")


@feature
def links_utf8(f):
    for name in ["größe", "数据", "with space", "emoji 🎉", "x" * 300]:
        f[name] = 1


@feature
def links_many(f):
    for number in range(400):
        f.create_group(f"group {number}")
    for number in range(20):
        f[f"soft {number}"] = h5py.SoftLink(f"/group {number}")


@feature
def links_creation_order(f):
    g = f.create_group("ordered", track_order=True)
    for name in "zebra", "apple", "mango":
        g[name] = 1
    many = f.create_group("many", track_order=True)
    for number in range(60):
        many[f"{number * 37 % 60}"] = h5py.SoftLink("x")


@feature
def links_order_not_indexed(f):
    plist = h5p.create(h5p.GROUP_CREATE)
    plist.set_link_creation_order(h5p.CRT_ORDER_TRACKED)
    gid = h5g.create(f.id, b"ordered", None, plist)
    for name in b"zebra", b"apple", b"mango":
        h5g.create(gid, name)


@feature
def links_deep(f):
    f["/".join("abcdefghijklmnopqrstuvwxyz" * 3) + "/end"] = 1


@feature
def links_long_values(f):
    f["long"] = h5py.SoftLink("/" + "x" * 20_000)
    for number in range(30):
        f[f"long {number}"] = h5py.SoftLink("/" + "y" * (1000 + number))


# Attributes.
@feature
def attributes(f):
    f["x"] = 1
    for owner in f, f["x"], f.create_group("g"):
        owner.attrs["number"] = 1.5
        owner.attrs["text"] = "größe"
        owner.attrs["fixed"] = np.bytes_("ascii")
        owner.attrs["array"] = np.arange(6, dtype=">i2").reshape(2, 3)
        owner.attrs["größe"] = [1, 2]


@feature
def attributes_many(f):
    g = f.create_group("g")
    for number in range(200):
        g.attrs[f"attribute {number}"] = np.arange(number % 7)


@feature
def attributes_ordered(f):
    g = f.create_group("g", track_order=True)
    for name in "zebra", "apple", "mango":
        g.attrs[name] = name
    x = f.create_dataset("x", (2,), "<f4", track_order=True)
    for number in range(40):
        x.attrs[f"{number * 17 % 40}"] = number


@feature
def attributes_large(f):
    f.create_group("g").attrs["large"] = np.arange(20_000, dtype="<f4")
    f["g"].attrs["larger"] = np.arange(100_000, dtype="<f8")


@feature
def attributes_vlen(f):
    f.attrs["texts"] = np.array(["a", "bb"], h5py.string_dtype())
    f.attrs.create("list", np.array([np.arange(3), np.arange(1)], object), dtype=h5py.vlen_dtype("<i4"))


@feature
def attributes_removed(f):
    for number in range(12):
        f.attrs[f"attribute {number}"] = number
    for number in range(0, 12, 2):
        del f.attrs[f"attribute {number}"]


# The file.
@feature
def file_empty(f):
    pass


@feature
def file_comment(f):
    f["x"] = 1
    h5o.set_comment(f["x"].id, b"a comment")
    h5o.set_comment(f.id, b"the root")


@feature
def file_dimension_scales(f):
    x = f.create_dataset("x", data=np.zeros((3, 4)))
    f["time"], f["place"] = np.arange(3), np.arange(4)
    f["time"].make_scale("time axis")
    f["place"].make_scale()
    x.dims[0].attach_scale(f["time"])
    x.dims[1].attach_scale(f["place"])
    x.dims[0].label = "t"


@feature
def file_removed_objects(f):
    for number in range(30):
        f[f"x{number}"] = np.arange(number + 1)
    for number in range(0, 30, 3):
        del f[f"x{number}"]
    f["last"] = 1


@feature
def file_anonymous_target(f):
    x = f.create_dataset(None, data=np.arange(4))
    f["kept"] = x


# Files that are made with other properties than the rest.
SPECIAL = {}


def special(make):
    SPECIAL[make.__name__.replace("_", "-")] = make
    return make


def fill_some(fid):
    f = h5py.File(fid)
    f["group/data"] = np.arange(50).reshape(5, 10)
    f["chunked"] = np.arange(3)
    f.create_dataset("gzip", data=np.arange(300), chunks=(50,), compression="gzip")
    f.attrs["number"] = 5
    f.close()


@special
def file_user_block(path, libver):
    with h5py.File(path, "w", libver=libver, userblock_size=1024) as f:
        f["x"] = np.arange(5)
        f["text"] = "variable"
        f["ref"] = f["x"].ref
    with open(path, "r+b") as raw:
        raw.write(b"user block")


@special
def file_user_block_put_in_front(path, libver):
    with h5py.File(path, "w", libver=libver) as f:
        f["x"] = np.arange(5)
        f.create_dataset("chunked", data=np.arange(40), chunks=(8,), compression="gzip")
    content = open(path, "rb").read()
    with open(path, "wb") as raw:
        raw.write(b"in front".ljust(2048, b"\0") + content)


@special
def file_narrow_addresses(path, libver):
    plist = h5p.create(h5p.FILE_CREATE)
    plist.set_sizes(4, 4)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*([h5f.LIBVER_EARLIEST if libver == "earliest" else h5f.LIBVER_LATEST, h5f.LIBVER_LATEST]))
    fill_some(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, plist, access))


@special
def file_tree_sizes(path, libver):
    plist = h5p.create(h5p.FILE_CREATE)
    call("H5Pset_sym_k", plist.id, 4, 2)
    call("H5Pset_istore_k", plist.id, 2)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*([h5f.LIBVER_EARLIEST if libver == "earliest" else h5f.LIBVER_LATEST, h5f.LIBVER_LATEST]))
    fid = h5f.create(os.fsencode(path), h5f.ACC_TRUNC, plist, access)
    f = h5py.File(fid)
    for number in range(100):
        f.create_group(f"g{number}")
    f.create_dataset("x", data=np.arange(400), chunks=(3,))
    f.close()


@special
def file_shared_messages(path, libver):
    plist = h5p.create(h5p.FILE_CREATE)
    # Dataspaces, datatypes, fill values and filters in one index, attributes in another.
    call("H5Pset_shared_mesg_nindexes", plist.id, 2)
    call("H5Pset_shared_mesg_index", plist.id, 0, 0x2 | 0x8 | 0x20 | 0x800, 8)
    call("H5Pset_shared_mesg_index", plist.id, 1, 0x1000, 20)
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_libver_bounds(*([h5f.LIBVER_EARLIEST if libver == "earliest" else h5f.LIBVER_LATEST, h5f.LIBVER_LATEST]))
    f = h5py.File(h5f.create(os.fsencode(path), h5f.ACC_TRUNC, plist, access))
    dtype = np.dtype([(f"member {number}", "<f8") for number in range(20)])
    for number in range(20):
        x = f.create_dataset(f"x{number}", (4,), dtype, fillvalue=np.ones((), dtype), chunks=(2,), compression="gzip")
        for other in range(12):
            x.attrs[f"attribute {other}"] = np.arange(50) + number % 3
    f.close()


@special
def file_swmr(path, libver):
    with h5py.File(path, "w", libver="latest") as f:
        x = f.create_dataset("x", (0,), "<i4", maxshape=(None,), chunks=(5,))
        f.swmr_mode = True
        x.resize((33,))
        x[:] = np.arange(33)
        x.flush()


def main():
    directory, libver = sys.argv[1:]
    os.chdir(directory)
    for name, make in {**FEATURES, **SPECIAL}.items():
        path = f"{name}.h5"
        try:
            if name in SPECIAL:
                make(path, libver)
            else:
                bounds = ("earliest", "latest") if libver == "earliest" else "latest"
                with h5py.File(path, "w", libver=bounds) as f:
                    make(f)
            print(f"{name}.h5", flush=True)
        except Exception as error:  # noqa: BLE001: the caller says which features were left out
            print(f"-{name}.h5: {type(error).__name__}: {error}".replace("\n", " "), flush=True)


main()
