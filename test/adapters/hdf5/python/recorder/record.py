"""Runs h5py's own tests and prints the calls that they make: see `wrap.py` and `encode.py` for the form.

    python record.py calls.json     writes {"h5py": version, "folder": "$TMP", "tests": [{"name", "outcome", "calls"}]}
"""
import importlib
import inspect
import io
import json
import os
import pkgutil
import shutil
import sys
import tempfile
import unittest
import warnings

sys.dont_write_bytecode = True

for name in list(os.environ):
    # h5py picks its parallel build where a launcher of MPI left its variables.
    if name.startswith(("OMPI_", "PMIX_", "PMI_", "MPI_")):
        del os.environ[name]

# Else a test asks a server.
os.environ["H5PY_NO_NETWORK_TEST"] = "1"

import little_pytest  # noqa: E402

little_pytest.install()

import h5py  # noqa: E402
from encode import names  # noqa: E402
from wrap import install, recorder  # noqa: E402

PACKAGE = h5py.File.__module__.rpartition("._hl")[0] + ".tests"
# They need a network, test locks of threads, a terminal's completion, a library's path; or where HDF5 puts elements
# in a file, by 33,000 calls.
LEFT_OUT = {"test_ros3", "test_completions", "test_objects", "test_h5pl", "test_file_alignment", "conftest", "common"}
# They test Python's garbage collector, by 1,100 calls, and its threads.
LEFT_OUT_TESTS = {"test_file.test_close_gc", "test_dataset.test_concurrent_dataset_creation"}


class OneTest(unittest.TestResult):
    """How one test ended."""

    def outcome(self):
        if self.skipped:
            return "skipped"
        return "failed" if self.failures or self.errors else "passed"

    def text(self):
        return "".join(text for _, text in [*self.failures, *self.errors])[-2000:]


def alias_modules():
    """Debian's package lies below `h5py`, whose tests would load some of its modules a second time."""
    real = f"{PACKAGE.rpartition('.')[0]}._hl."
    for name, module in list(sys.modules.items()):
        if name.startswith(real):
            sys.modules.setdefault(f"h5py._hl.{name[len(real):]}", module)


def test_modules():
    package = importlib.import_module(PACKAGE)
    for module in sorted(pkgutil.walk_packages(package.__path__, f"{PACKAGE}."), key=lambda found: found.name):
        short = module.name[len(PACKAGE) + 1 :]
        if not module.ispkg and short.rpartition(".")[2] not in LEFT_OUT and "data_files" not in short:
            yield short, importlib.import_module(module.name)


def class_tests(short, cls, module):
    """Tests of a class of unittest's."""
    cls.setUpClass()
    try:
        for name in unittest.defaultTestLoader.getTestCaseNames(cls):
            title = f"{short}.{cls.__name__}.{name}"
            function = getattr(cls, name)
            if little_pytest.is_skipped(cls, inspect.unwrap(function)):
                yield title, "skipped", ""
                continue
            result = OneTest()
            cls(name).run(result)
            yield title, result.outcome(), result.text()
    finally:
        cls.tearDownClass()


def run_plain(function, parameters, folder):
    try:
        little_pytest.call_with_fixtures(function, parameters, little_pytest.Fixtures(folder, h5py))
    except little_pytest.SKIPS:
        return "skipped", ""
    except Exception as error:
        return "failed", repr(error)[:2000]
    return "passed", ""


def plain_tests(title, function, owner, folder):
    """A test of pytest's, for each row of its parameters."""
    rows = list(little_pytest.rows_of(function, *([type(owner)] if owner is not None else [])))
    for number, row in enumerate(rows):
        suffix = f"[{number}]" if len(rows) > 1 else ""
        if little_pytest.is_skipped(function, type(owner) if owner is not None else None):
            yield title + suffix, "skipped", ""
            continue
        bound = function if owner is None else function.__get__(owner)
        yield (title + suffix, *run_plain(bound, row, folder))


def tests_of(short, module, folder):
    """Runs the tests of a module, in the order of its text."""
    marks = getattr(module, "pytestmark", None)
    if marks is not None and getattr(marks, "value", False) is True:
        return
    for name, found in list(vars(module).items()):
        if getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(found) and issubclass(found, unittest.TestCase):
            yield from class_tests(short, found, module)
        elif inspect.isclass(found) and name.startswith("Test"):
            for key, function in vars(found).items():
                if key.startswith("test") and inspect.isfunction(function):
                    yield from plain_tests(f"{short}.{name}.{key}", function, found(), folder)
        elif inspect.isfunction(found) and name.startswith("test") and f"{short}.{name}" not in LEFT_OUT_TESTS:
            yield from plain_tests(f"{short}.{name}", found, None, folder)


def main(target):
    warnings.simplefilter("ignore")
    folder = os.path.realpath(tempfile.mkdtemp(prefix="h5py-calls-"))
    tempfile.tempdir = folder
    names.folder = os.path.join(folder, "")
    os.chdir(folder)
    tests = []
    alias_modules()
    modules = list(test_modules())
    install()
    try:
        for short, module in modules:
            for name, outcome, text in tests_of(short, module, folder):
                tests.append({"name": name, "outcome": outcome, "text": text, "calls": recorder.take()})
    finally:
        os.chdir("/")
        shutil.rmtree(folder, ignore_errors=True)
    with open(target, "w", encoding="utf8", errors="surrogatepass") as stream:
        json.dump({"h5py": h5py.__version__, "numpy": sys.modules["numpy"].__version__, "folder": names.folder, "tests": tests}, stream)


# What the tests print is not asked for.
sys.stdout = io.StringIO()
main(os.path.abspath(sys.argv[1]))
