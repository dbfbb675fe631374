"""Prints what an .h5 file holds as canonical JSON, through h5py's low-level API.

Reads paths from standard input, one a line, and prints one line of JSON for each. `canonical.ts` prints the
same of any Hdf5Source, so that two files are equal if their lines are.

Elements of fixed size are the bytes of the file's own type in hexadecimal (their SHA-256 if they are many);
those of variable length, and references, are lists. Objects are named by the path that leads to them first.
"""
import ctypes
import functools
import hashlib
import json
import os
import sys

for name in list(os.environ):
    # h5py picks its parallel build where a launcher of MPI left its variables.
    if name.startswith(("OMPI_", "PMIX_", "PMI_", "MPI_")):
        del os.environ[name]

import h5py  # noqa: E402
import numpy as np  # noqa: E402
from h5py import h5, h5a, h5d, h5f, h5g, h5i, h5l, h5o, h5p, h5r, h5s, h5t  # noqa: E402

INLINE_SIZE_MAX = 4096
POINTS_MAX = 10_000
ORDERS = {h5t.ORDER_LE: "little", h5t.ORDER_BE: "big", h5t.ORDER_VAX: "vax", h5t.ORDER_NONE: "little"}
PADS = {h5t.STR_NULLTERM: "nullterm", h5t.STR_NULLPAD: "nullpad", h5t.STR_SPACEPAD: "spacepad"}
CHARSETS = {h5t.CSET_ASCII: "ascii", h5t.CSET_UTF8: "utf8"}
NORMS = {h5t.NORM_NONE: "none", h5t.NORM_MSBSET: "set", h5t.NORM_IMPLIED: "implied"}


def text(value):
    return value.decode("utf8", "surrogateescape") if isinstance(value, bytes) else value


@functools.cache
def library():
    """The C library, for what h5py does not offer."""
    maps = open("/proc/self/maps").read().splitlines()
    return ctypes.CDLL(next(line.split()[-1] for line in maps if "libhdf5" in line and "_hl" not in line))


def bit_field(tid):
    low, high = ctypes.c_int(), ctypes.c_int()
    identifier = ctypes.c_int64(tid.id)
    library().H5Tget_pad(identifier, ctypes.byref(low), ctypes.byref(high))
    return {
        "bitOffset": library().H5Tget_offset(identifier),
        "precision": library().H5Tget_precision(identifier),
        "padding": {"low": low.value, "high": high.value},
    }


def describe_type(tid):
    kind = tid.get_class()
    size = tid.get_size()
    if kind == h5t.INTEGER:
        signed = tid.get_sign() == h5t.SGN_2
        return {"class": "integer", "size": size, "order": ORDERS[tid.get_order()], "isSigned": signed, **bit_field(tid)}
    if kind == h5t.BITFIELD:
        return {"class": "bitfield", "size": size, "order": ORDERS[tid.get_order()], **bit_field(tid)}
    if kind == h5t.FLOAT:
        sign, exponent, exponent_size, mantissa, mantissa_size = tid.get_fields()
        return {
            "class": "float", "size": size, "order": ORDERS[tid.get_order()], **bit_field(tid),
            "signLocation": sign, "exponentLocation": exponent, "exponentSize": exponent_size,
            "exponentBias": tid.get_ebias(), "mantissaLocation": mantissa, "mantissaSize": mantissa_size,
            "normalization": NORMS[tid.get_norm()], "innerPadding": tid.get_inpad(),
        }
    if kind == h5t.TIME:
        return {"class": "time", "size": size}
    if kind == h5t.STRING:
        strings = {"padding": PADS[tid.get_strpad()], "charset": CHARSETS[tid.get_cset()]}
        if tid.is_variable_str():
            return {"class": "vlenString", **strings}
        return {"class": "string", "size": size, **strings}
    if kind == h5t.OPAQUE:
        return {"class": "opaque", "size": size, "tag": text(tid.get_tag())}
    if kind == h5t.COMPOUND:
        members = [
            {
                "name": text(tid.get_member_name(index)),
                "offset": tid.get_member_offset(index),
                "type": describe_type(tid.get_member_type(index)),
            }
            for index in range(tid.get_nmembers())
        ]
        if has(tid, h5t.VLEN):
            # In memory, to which h5py refers, texts take another size.
            return {"class": "compound", "members": [{**one, "offset": None} for one in members]}
        return {"class": "compound", "size": size, "members": members}
    if kind == h5t.REFERENCE:
        return {"class": "reference", "kind": "object" if tid.equal(h5t.STD_REF_OBJ) else "region"}
    if kind == h5t.ENUM:
        base = describe_type(tid.get_super())
        members = [
            {"name": text(tid.get_member_name(index)), "value": str(int(tid.get_member_value(index)))}
            for index in range(tid.get_nmembers())
        ]
        return {"class": "enum", "base": base, "members": members}
    if kind == h5t.VLEN:
        return {"class": "vlen", "base": describe_type(tid.get_super())}
    if kind == h5t.ARRAY:
        return {"class": "array", "shape": list(tid.get_array_dims()), "base": describe_type(tid.get_super())}
    raise ValueError(f"class {kind}")


def describe_space(space):
    kind = space.get_simple_extent_type()
    if kind == h5s.NULL:
        return {"kind": "null"}
    if kind == h5s.SCALAR:
        return {"kind": "scalar"}
    limits = [None if one == h5s.UNLIMITED else one for one in space.get_simple_extent_dims(True)]
    return {"kind": "simple", "shape": list(space.get_simple_extent_dims()), "maxShape": limits}


def has(tid, *kinds):
    kind = tid.get_class()
    if kind in kinds or (h5t.VLEN in kinds and kind == h5t.STRING and tid.is_variable_str()):
        return True
    if kind == h5t.COMPOUND:
        return any(has(tid.get_member_type(index), *kinds) for index in range(tid.get_nmembers()))
    return kind in (h5t.ARRAY, h5t.VLEN) and has(tid.get_super(), *kinds)


def describe_selection(space):
    kind = space.get_select_type()
    if kind == h5s.SEL_ALL:
        return {"kind": "all"}
    if kind == h5s.SEL_NONE:
        return {"kind": "none"}
    if kind == h5s.SEL_POINTS:
        return {"kind": "points", "points": space.get_select_elem_pointlist().tolist()}
    unlimited = None
    if space.is_regular_hyperslab():
        start, stride, count, block = space.get_regular_hyperslab()
        unlimited = h5s.UNLIMITED in list(count) + list(block)
        if unlimited:
            none = lambda values: [None if one == h5s.UNLIMITED else int(one) for one in values]
            return {"kind": "unlimited", "start": none(start), "stride": none(stride), "count": none(count), "block": none(block)}
    points = set()
    for first, last in space.get_select_hyper_blocklist().tolist():
        axes = [range(low, high + 1) for low, high in zip(first, last)]
        points.update(tuple(int(one) for one in point) for point in np.array(np.meshgrid(*axes)).T.reshape(-1, len(axes)))
        if len(points) > POINTS_MAX:
            raise ValueError("too many points")
    return {"kind": "elements", "elements": [list(point) for point in sorted(points)]}


def hexadecimal(raw):
    if len(raw) <= INLINE_SIZE_MAX:
        return raw.hex()
    return f"{len(raw)} bytes, SHA-256 {hashlib.sha256(raw).hexdigest()}"


def comment_of(oid):
    """h5py's own call returns what happens to be in memory."""
    buffer = ctypes.create_string_buffer(1000)
    size = library().H5Oget_comment(ctypes.c_int64(oid.id), buffer, ctypes.c_size_t(1000))
    return text(buffer.value) if size > 0 else None


class File:
    """One file, and the objects that were met in it."""

    def __init__(self, path):
        # Names of external files count from the working directory.
        os.chdir(os.path.dirname(path) or ".")
        self.fid = h5f.open(os.fsencode(path), h5f.ACC_RDONLY)
        self.paths = {}

    def address(self, object_id):
        return h5o.get_info(object_id).addr

    def describe(self):
        root = h5g.open(self.fid, b"/")
        self.collect(root, "")
        objects = {path: self.describe_object(root if path == "/" else h5o.open(self.fid, os.fsencode(path))) for path in self.paths.values()}
        user_block = self.fid.get_create_plist().get_userblock()
        return {"userBlock": user_block, "objects": objects}

    def ordered(self, gid):
        flags = gid.get_create_plist().get_link_creation_order()
        index = h5.INDEX_CRT_ORDER if flags & h5p.CRT_ORDER_TRACKED else h5.INDEX_NAME
        names = []
        gid.links.iterate(lambda name: names.append(name), idx_type=index, order=h5.ITER_INC)
        return names

    def collect(self, oid, path):
        """Names objects by the path that leads to them first."""
        address = self.address(oid)
        if address in self.paths:
            return
        self.paths[address] = path or "/"
        if h5i.get_type(oid) != h5i.GROUP:
            return
        for name in self.ordered(oid):
            if oid.links.get_info(name).type == h5l.TYPE_HARD:
                self.collect(h5o.open(oid, name), f"{path}/{text(name)}")

    def describe_object(self, oid):
        kind = h5i.get_type(oid)
        common = {"comment": comment_of(oid), "attributes": self.describe_attributes(oid)}
        if kind == h5i.DATATYPE:
            return {"kind": "datatype", "type": describe_type(oid), **common}
        flags = oid.get_create_plist().get_attr_creation_order()
        common["attributeOrder"] = [bool(flags & 1), bool(flags & 2)]
        if kind == h5i.GROUP:
            flags = oid.get_create_plist().get_link_creation_order()
            links = [self.describe_link(oid, name) for name in self.ordered(oid)]
            return {"kind": "group", "linkOrder": [bool(flags & 1), bool(flags & 2)], "links": links, **common}
        return {"kind": "dataset", **self.describe_dataset(oid), **common}

    def describe_link(self, gid, name):
        info = gid.links.get_info(name)
        base = {"name": text(name), "nameCharset": CHARSETS[info.cset]}
        if info.type == h5l.TYPE_HARD:
            return {**base, "kind": "hard", "target": self.paths[self.address(h5o.open(gid, name))]}
        value = gid.links.get_val(name)
        if info.type == h5l.TYPE_SOFT:
            return {**base, "kind": "soft", "path": text(value)}
        return {**base, "kind": "external", "file": text(value[0]), "path": text(value[1])}

    def committed(self, tid):
        return self.paths.get(self.address(tid)) if tid.committed() else None

    def describe_attributes(self, oid):
        names = []
        if h5i.get_type(oid) == h5i.DATATYPE:
            flags = 0
        else:
            flags = oid.get_create_plist().get_attr_creation_order()
        index = h5.INDEX_CRT_ORDER if flags & h5p.CRT_ORDER_TRACKED else h5.INDEX_NAME
        h5a.iterate(oid, lambda name, *_: names.append(name), index_type=index, order=h5.ITER_INC)
        result = []
        for name in names:
            aid = h5a.open(oid, name)
            tid, space = aid.get_type(), aid.get_space()
            result.append({
                "name": text(name),
                "nameCharset": CHARSETS[aid.get_info().cset] if hasattr(aid, "get_info") else CHARSETS[h5a.get_info(aid).cset],
                "type": describe_type(tid),
                "committedType": self.committed(tid),
                "space": describe_space(space),
                "elements": self.elements(aid, tid, space, lambda array, mtype: aid.read(array, mtype=mtype)),
            })
        return result

    def describe_dataset(self, did):
        tid, space, plist = did.get_type(), did.get_space(), did.get_create_plist()
        filters = []
        for index in range(plist.get_nfilters()):
            # Behind 16 parameters, h5py returns what happens to be in memory.
            code, flags, values, _ = plist.get_filter(index)
            filters.append({"id": code, "isOptional": bool(flags & 1), "parameters": [int(one) for one in values][:16]})

        def read(array, mtype):
            did.read(h5s.ALL, h5s.ALL, array, mtype)

        return {
            "type": describe_type(tid),
            "committedType": self.committed(tid),
            "space": describe_space(space),
            "layout": self.describe_layout(plist),
            "filters": filters,
            "fill": self.describe_fill(plist, tid),
            "elements": self.elements(did, tid, space, read),
        }

    def describe_layout(self, plist):
        layout = plist.get_layout()
        if layout == h5d.COMPACT:
            return {"kind": "compact"}
        if layout == h5d.CHUNKED:
            return {"kind": "chunked", "chunkShape": list(plist.get_chunk())}
        if layout == h5d.CONTIGUOUS:
            if plist.get_external_count() == 0:
                return {"kind": "contiguous"}
            files = [plist.get_external(index) for index in range(plist.get_external_count())]
            return {"kind": "external", "files": [
                {"name": text(name), "offset": offset, "size": None if size in (0, h5s.UNLIMITED, -1) else size}
                for name, offset, size in files
            ]}
        return {"kind": "virtual", "mappings": [
            {
                "file": text(plist.get_virtual_filename(index)),
                "dataset": text(plist.get_virtual_dsetname(index)),
                "source": describe_selection(plist.get_virtual_srcspace(index)),
                "target": describe_selection(plist.get_virtual_vspace(index)),
            }
            for index in range(plist.get_virtual_count())
        ]}

    def describe_fill(self, plist, tid):
        times = {h5d.FILL_TIME_ALLOC: "alloc", h5d.FILL_TIME_NEVER: "never", h5d.FILL_TIME_IFSET: "ifset"}
        allocations = {h5d.ALLOC_TIME_DEFAULT: "default", h5d.ALLOC_TIME_EARLY: "early", h5d.ALLOC_TIME_LATE: "late", h5d.ALLOC_TIME_INCR: "incremental"}
        defined = plist.fill_value_defined()
        if defined == h5d.FILL_VALUE_UNDEFINED:
            value = None
        elif defined == h5d.FILL_VALUE_DEFAULT:
            value = "default"
        elif has(tid, h5t.VLEN, h5t.REFERENCE):
            value = "of variable length"
        else:
            array = np.zeros((), tid.dtype)
            plist.get_fill_value(array)
            value = array.tobytes().hex()
        return {"time": times[plist.get_fill_time()], "allocation": allocations[plist.get_alloc_time()], "value": value}

    def elements(self, owner, tid, space, read):
        if space.get_simple_extent_type() == h5s.NULL:
            return ""
        shape = space.get_simple_extent_dims() if space.get_simple_extent_type() == h5s.SIMPLE else ()
        count = int(np.prod(shape, dtype=object)) if shape else 1
        if count == 0:
            return ""
        if has(tid, h5t.VLEN, h5t.REFERENCE):
            array = np.zeros(shape, tid.dtype)
            read(array, h5t.py_create(tid.dtype))
            # An array datatype adds its dimensions to those of the dataset.
            return [self.tree(tid, one) for one in array.reshape((count, *array.shape[len(shape):]))]
        array = np.zeros((count * tid.get_size(),), "u1").view(f"V{tid.get_size()}").reshape(shape)
        read(array, tid)
        return hexadecimal(array.tobytes())

    def tree(self, tid, value):
        """One element as lists."""
        kind = tid.get_class()
        if kind == h5t.STRING and tid.is_variable_str():
            return value.encode("utf8", "surrogateescape").hex() if isinstance(value, str) else bytes(value or b"").hex()
        if kind == h5t.VLEN:
            return [self.tree(tid.get_super(), one) for one in value]
        if kind == h5t.ARRAY:
            return [self.tree(tid.get_super(), one) for one in value.reshape((-1, *value.shape[len(tid.get_array_dims()):]))]
        if kind == h5t.COMPOUND:
            names = [text(tid.get_member_name(index)) for index in range(tid.get_nmembers())]
            return [self.tree(tid.get_member_type(index), value[name]) for index, name in enumerate(names)]
        if kind == h5t.REFERENCE:
            return self.reference(value)
        return np.asarray(value, tid.dtype).tobytes().hex()

    def reference(self, value):
        if not isinstance(value, h5r.Reference) or not value:
            return None
        path = self.paths[self.address(h5r.dereference(value, self.fid))]
        if not isinstance(value, h5r.RegionReference):
            return path
        return {"object": path, "selection": describe_selection(h5r.get_region(value, self.fid))}


def main():
    for line in sys.stdin:
        try:
            result = File(line.rstrip("\n")).describe()
        except Exception as error:  # noqa: BLE001: reported with the file that it was of
            result = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(result, sort_keys=True), flush=True)


main()
