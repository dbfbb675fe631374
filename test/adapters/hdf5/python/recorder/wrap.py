"""Records the calls of h5py's classes: methods and properties are replaced by ones that write down what they do.

Only calls from outside are recorded, not those that h5py makes itself. A call is

    {"op": "Group.create_dataset", "on": {"object": 1}, "args": {name: value}, "result": value}
    {.., "error": {"class": "ValueError", "bases": [..], "message": ".."}}   instead of a result
    {.., "inexpressible": reason}     if an argument or the result has no counterpart

Between calls, `{"restore": path, "bytes": ..}` gives a whole file that came about in another way: copied, or changed
through h5py's low-level classes; `{"remove": path}` says that it is gone.
"""
import functools
import hashlib
import importlib
import inspect
import os
import threading

import h5py
import numpy as np
from data import encode_data, is_data
from encode import MARK, Inexpressible, Place, encode, encode_array, file_path, names, pack
from h5py import h5f

high_level = h5py.Dataset.__module__.rpartition(".")[0]
attrs_module, base, dataset, dims, files, vds = (
    importlib.import_module(f"{high_level}.{name}") for name in ("attrs", "base", "dataset", "dims", "files", "vds")
)

MESSAGE_SIZE_MAX = 200


class Files:
    """What the files of the tests hold: to find out what was changed without a recorded call."""

    def __init__(self, emit):
        self.emit = emit
        self.known = {}
        self.touched = {}

    @staticmethod
    def hash(path):
        try:
            with open(path, "rb") as stream:
                return hashlib.sha256(stream.read()).hexdigest()
        except OSError:
            return None

    @staticmethod
    def flushed(path):
        """Whether a file is open here; it is flushed then."""
        is_open = False
        for fid in h5f.get_obj_ids(h5f.OBJ_ALL, h5f.OBJ_FILE):
            if fid.valid and os.path.abspath(os.fsdecode(h5f.get_name(fid))) == path:
                is_open = True
                if fid.get_intent() & h5f.ACC_RDWR:
                    h5f.flush(fid)
        return is_open

    def restore(self, path):
        with open(path, "rb") as stream:
            self.emit({"restore": names.text(path), "bytes": pack(stream.read())})
        self.known[path] = self.hash(path)

    def touch(self, obj):
        """Called before the program gets a low-level object."""
        try:
            path = os.path.abspath(os.fsdecode(h5f.get_name(obj._id)))
        except Exception:  # closed, or in memory
            return
        if os.path.isfile(path) and path not in self.touched:
            self.flushed(path)
            self.touched[path] = self.hash(path)

    def check_touched(self):
        while self.touched:
            path, before = self.touched.popitem()
            self.flushed(path)
            if os.path.isfile(path) and self.hash(path) != before:
                self.restore(path)

    def before_open(self, name):
        try:
            path = os.path.abspath(os.fsdecode(os.fspath(name)))
        except TypeError:
            return
        if os.path.isfile(path):
            if not self.flushed(path) and self.known.get(path) != self.hash(path):
                self.restore(path)
        self.forget_removed(os.path.dirname(path))

    def forget_removed(self, folder):
        """Files that the program removed or renamed."""
        for path in [path for path in self.known if os.path.dirname(path) == folder and not os.path.exists(path)]:
            del self.known[path]
            self.emit({"remove": names.text(path)})

    def after(self, path):
        if path is not None and os.path.isfile(path):
            self.known[path] = self.hash(path)


class Recorder:
    """The calls of the running test."""

    def __init__(self):
        self.depth = 0
        self.calls = []
        self.thread = threading.get_ident()
        self.files = Files(self.calls_append)

    def calls_append(self, entry):
        self.calls.append(entry)

    def take(self):
        calls = self.calls
        self.calls = []
        return calls

    def is_outside(self):
        return self.depth == 0 and threading.get_ident() == self.thread


recorder = Recorder()


def describe_error(error):
    bases = [cls.__name__ for cls in type(error).__mro__ if cls not in (object, BaseException)]
    return {"class": bases[0], "bases": bases[1:], "message": names.text(str(error))[:MESSAGE_SIZE_MAX]}


def as_dtype(value):
    """Types are given in many ways: all are one of NumPy's."""
    if value is None or isinstance(value, h5py.Datatype):
        return encode(value)
    try:
        return encode(np.dtype(value))
    except TypeError:
        return {"invalid": repr(value)}


class Callback:
    """A function that h5py calls: what it was given, and what it returned."""

    def __init__(self, function):
        self.function = function
        self.results = []

    def __call__(self, *args):
        try:
            result = self.function(*args)
        except Exception as error:
            self.results.append({"args": encode(list(args)), "error": describe_error(error)})
            raise
        self.results.append({"args": encode(list(args)), "result": encode(result)})
        return result


def encode_argument(op, obj, given, name):
    value = given[name]
    if name == "dtype":
        return as_dtype(value)
    if isinstance(value, Callback):
        return {"callback": value.results}
    return encode_data(op, obj, given, value) if is_data(op, name) else encode(value)


def bind(signature, obj, args, kwargs):
    try:
        bound = signature.bind(obj, *args, **kwargs)
    except TypeError as error:
        raise Inexpressible("arguments that Python refuses for the function") from error
    given = dict(list(bound.arguments.items())[1:])
    last = list(signature.parameters.values())[-1]
    if last.kind is inspect.Parameter.VAR_KEYWORD:
        given.update(given.pop(last.name, {}))
    return given


def encode_self(obj):
    if isinstance(obj, base._RegionProxy):
        return {"region": encode(obj.obj)}
    if isinstance(obj, base.HLObject):
        return encode(obj)
    own = getattr(obj, MARK, None)
    if own is None:
        raise Inexpressible(f"an object of class {type(obj).__name__} that was made with low-level calls")
    return own


def place_of(obj):
    """An id of the file that the call is about, for references."""
    for name in ("_id", "id"):
        found = getattr(obj, name, None)
        if found is not None:
            return found
    inner = getattr(obj, "_dset", None)
    return inner.id if inner is not None else None


def mark(obj, **facts):
    setattr(obj, MARK, facts)
    return obj


def mark_result(obj, op, result):
    """Gives results that are no objects of the file a number, or says whose they are."""
    views = (vds.VirtualSource, *VIEWS)
    if isinstance(result, views):
        return mark(result, view=names.next())
    if isinstance(result, dims.DimensionProxy):
        return mark(result, dim=getattr(obj, MARK)["dims"], index=result._dimension)
    if op.endswith(("__iter__", "__reversed__", "iter_chunks")):
        items = list(result)
        for item in items:
            mark_result(obj, "", item)
        return items
    return result


VIEWS = tuple(
    getattr(dataset, name)
    for name in ("AstypeWrapper", "AsStrWrapper", "FieldsWrapper", "AbstractView")
    if hasattr(dataset, name)
)
LISTED = (base.KeysView, base.ValuesView, base.ItemsView)


def encode_result(result):
    if isinstance(result, LISTED):
        return encode([tuple(item) if isinstance(item, tuple) else item for item in result])
    return encode(result)


def begin(op, signature, obj, args, kwargs):
    """The call before it is made, its arguments as they are then, and those to make it with."""
    entry = {"op": op}
    given = {}
    try:
        given = bind(signature, obj, args, kwargs)
        if not op.endswith("__init__"):
            entry["on"] = encode_self(obj)
        if op == "Dataset.write_direct":
            entry["picked"] = encode_array(picked(given["source"], given.get("source_sel")))
        entry["args"] = {name: encode_argument(op, obj, given, name) for name in given}
    except Inexpressible as reason:
        entry["inexpressible"] = str(reason)
    return entry, given


def picked(array, selection):
    """The elements of the program's own array: what NumPy makes of a selection is not h5py's."""
    return array if selection is None else np.asarray(array[selection])


def wrap_callbacks(args, kwargs):
    def wrap(value):
        return Callback(value) if callable(value) and not isinstance(value, (type, base.HLObject)) else value

    return [wrap(value) for value in args], {name: wrap(value) for name, value in kwargs.items()}


def finish(entry, obj, given, result):
    """Writes down what came of a call."""
    try:
        if entry["op"].endswith("__init__"):
            if not isinstance(obj, base.HLObject):
                mark(obj, view=names.next())
            entry["result"] = encode(obj)
        else:
            entry["result"] = encode_result(result)
        if entry["op"] == "Dataset.read_direct":
            entry["picked"] = encode_array(picked(given["dest"], given.get("dest_sel")))
        for name, value in given.items():
            if isinstance(value, Callback) and "args" in entry:
                entry["args"][name] = encode_argument(entry["op"], obj, given, name)
    except Inexpressible as reason:
        entry["inexpressible"] = str(reason)


def path_before(op, obj):
    """The file that a call closes."""
    if not op.startswith("File.") or op.split(".")[1] not in ("close", "__exit__") or not obj.id:
        return None
    return os.path.abspath(os.fsdecode(h5f.get_name(obj.id)))


def recorded(op, function):
    """A function that records its calls from outside."""
    signature = inspect.signature(function)

    @functools.wraps(function)
    def call(obj, *args, **kwargs):
        if not recorder.is_outside():
            return function(obj, *args, **kwargs)
        recorder.depth += 1
        Place.current = None
        try:
            recorder.files.check_touched()
            if op == "File.__init__":
                recorder.files.before_open(args[0] if args else kwargs.get("name"))
            else:
                Place.current = place_of(obj)
            args, kwargs = wrap_callbacks(args, kwargs)
            entry, given = begin(op, signature, obj, args, kwargs)
            closed = path_before(op, obj)
            try:
                result = function(obj, *args, **kwargs)
                result = mark_result(obj, op, result)
            except Exception as error:
                entry["error"] = describe_error(error)
                raise
            else:
                Place.current = place_of(obj)
                finish(entry, obj, given, result)
            finally:
                recorder.calls.append(entry)
                recorder.files.after(closed)
            return iter(result) if op.endswith(("__iter__", "__reversed__")) else result
        finally:
            recorder.depth -= 1

    return call


def recorded_property(op, original):
    getter = recorded(op, original.fget)
    setter = original.fset and recorded(f"{op}=", original.fset)
    return property(getter, setter, original.fdel, original.__doc__)


def owned(name, original):
    """A property whose values say whose they are: `attrs`, `dims`."""

    def get(obj):
        depth = recorder.depth
        recorder.depth += 1
        try:
            value = original.fget(obj)
            if depth == 0:
                mark(value, **{name: encode(obj)})
            return value
        finally:
            recorder.depth -= 1

    return property(get)


def watched(original):
    """The low-level object: the program may do anything with it."""

    def get(obj):
        if recorder.is_outside():
            recorder.depth += 1
            try:
                recorder.files.touch(obj)
            finally:
                recorder.depth -= 1
        return original.fget(obj)

    return property(get)


# Not calls: what contexts give, what dictionaries and pickles ask for, and what only leads to other classes.
UNRECORDED = {"build_virtual_dataset", "__enter__", "__hash__", "__getstate__", "__getnewargs__", "__ne__", "regionref", "fid"}
SPECIAL = {
    "__getitem__", "__setitem__", "__delitem__", "__len__", "__iter__", "__reversed__", "__contains__", "__array__",
    "__eq__", "__bool__", "__repr__", "__exit__",
}
INHERITED = ("get", "pop", "popitem", "clear", "update", "setdefault", "keys", "values", "items")


def wrap_class(cls, initialised=False):
    name = cls.__name__
    for key, value in list(vars(cls).items()):
        if key in UNRECORDED or key.startswith("_") and key not in SPECIAL:
            continue
        if isinstance(value, property):
            if key in ("attrs", "dims"):
                setattr(cls, key, owned(key, value))
            elif key == "id":
                setattr(cls, key, watched(value))
            else:
                setattr(cls, key, recorded_property(f"{name}.{key}", value))
        elif callable(value) and not inspect.isclass(value):
            setattr(cls, key, recorded(f"{name}.{key}", value))
    if issubclass(cls, base.MutableMappingHDF5) and cls is not h5py.File:
        for key in INHERITED:
            if key not in vars(cls):
                setattr(cls, key, recorded(f"{name}.{key}", getattr(cls, key)))
    if initialised:
        cls.__init__ = recorded(f"{name}.__init__", cls.__init__)


def recorded_is_hdf5(original):
    def call(fname):
        if not recorder.is_outside():
            return original(fname)
        recorder.depth += 1
        try:
            recorder.files.before_open(fname)
            result = original(fname)
            recorder.calls.append({"op": "is_hdf5", "args": {"fname": encode(fname)}, "result": bool(result)})
            return result
        finally:
            recorder.depth -= 1

    return call


def install():
    for cls in (base.HLObject, h5py.Group, h5py.Dataset, h5py.Datatype, h5py.AttributeManager):
        wrap_class(cls)
    for cls in (dims.DimensionManager, dims.DimensionProxy, base._RegionProxy, *VIEWS):
        wrap_class(cls)
        for sub in cls.__subclasses__():
            wrap_class(sub)
    wrap_class(h5py.File, initialised=True)
    for cls in (vds.VirtualLayout, vds.VirtualSource):
        wrap_class(cls, initialised=True)
    h5py.is_hdf5 = files.is_hdf5 = recorded_is_hdf5(h5py.is_hdf5)
