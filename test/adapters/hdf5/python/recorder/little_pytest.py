"""As much of pytest as h5py's tests use: marks, parameters, `raises`, and the fixtures of their conftest.

It is not installed with Debian's h5py; tests that need more of it are left out, and counted.
"""
import contextlib
import inspect
import itertools
import os
import re
import sys
import types
import unittest
import warnings


class Skip(Exception):
    """The test does not apply here."""


class Raises:
    """What `raises` gives: the error, once it was raised."""

    def __init__(self, expected, match):
        self.expected, self.match, self.value = expected, match, None

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is None:
            raise AssertionError(f"{self.expected} was not raised")
        if not issubclass(kind, self.expected):
            return False
        if self.match is not None and re.search(self.match, str(error)) is None:
            raise AssertionError(f"{error!s} does not match {self.match}")
        self.value = error
        return True


def raises(expected, *args, match=None, **kwargs):
    context = Raises(expected, match)
    if not args:
        return context
    with context:
        args[0](*args[1:], **kwargs)
    return context


class Marks:
    """Decorators: conditions and parameters are kept, others do nothing."""

    def skipif(self, condition, reason="", **_):
        return self.keep("skips", bool(condition) if not isinstance(condition, str) else eval(condition, {"sys": sys}))

    def skip(self, *_, **__):
        return self.keep("skips", True)

    def xfail(self, *_, **__):
        return lambda function: function

    def parametrize(self, names, values, **_):
        listed = [part.strip() for part in names.split(",")] if isinstance(names, str) else list(names)
        rows = []
        for value in values:
            if isinstance(value, Parameters):
                if not value.skips:
                    rows.append(value.values)
            else:
                rows.append((value,) if len(listed) == 1 else tuple(value))
        return self.keep("parameters", (listed, rows))

    @staticmethod
    def keep(kind, value):
        def decorate(function):
            # Marks of a class belong to it alone, not to its base.
            own = vars(function).get(f"_little_{kind}", [])
            setattr(function, f"_little_{kind}", [*own, value])
            return function

        decorate.value = value
        return decorate

    def __getattr__(self, _name):
        def mark(*args, **kwargs):
            if len(args) == 1 and not kwargs and (inspect.isfunction(args[0]) or inspect.isclass(args[0])):
                return args[0]
            return lambda function: function

        return mark


class Parameters:
    """A row of parameters with marks of its own."""

    def __init__(self, *values, marks=(), **_):
        self.values = values
        listed = marks if isinstance(marks, (list, tuple)) else [marks]
        self.skips = any(getattr(one, "value", False) is True for one in listed)


def skip(reason="", **_):
    raise Skip(reason)


def install():
    module = types.ModuleType("pytest")
    module.mark = Marks()
    module.raises = raises
    module.param = Parameters
    module.skip = module.xfail = skip
    module.fixture = lambda *args, **_: args[0] if args else (lambda function: function)
    module.warns = lambda *_, **__: warnings.catch_warnings(record=True)
    module.importorskip = lambda name: __import__(name)
    sys.modules["pytest"] = module


def is_skipped(*marked):
    return any(True in vars(one).get("_little_skips", []) for one in marked if one is not None)


def rows_of(*marked):
    """All combinations of parameters, as dictionaries."""
    lists = [found for one in marked for found in vars(one).get("_little_parameters", [])]
    for chosen in itertools.product(*(rows for _, rows in lists)):
        yield {name: value for (names, _), row in zip(lists, chosen) for name, value in zip(names, row)}


class Fixtures:
    """The fixtures of h5py's conftest, and pytest's own that its tests use."""

    def __init__(self, folder, h5py):
        self.folder, self.h5py, self.stack = folder, h5py, contextlib.ExitStack()

    def get(self, name):
        if name == "tmp_path":
            import pathlib
            import tempfile

            return pathlib.Path(tempfile.mkdtemp(dir=self.folder))
        if name == "writable_file":
            path = os.path.join(str(self.get("tmp_path")), "test.h5")
            return self.stack.enter_context(self.h5py.File(path, "w"))
        raise Skip(f"fixture {name}")


def call_with_fixtures(function, parameters, fixtures):
    wanted = [name for name in inspect.signature(function).parameters if name != "self"]
    given = {name: parameters[name] if name in parameters else fixtures.get(name) for name in wanted}
    with fixtures.stack:
        function(**given)


SKIPS = (Skip, unittest.SkipTest)
