/**
 * What the project needs from the system: Debian's package names, and how to see it where there is no dpkg.
 *
 * The names are the same in Debian 12 (Open MPI 4.1, PMIx 4.2) and 13 (Open MPI 5.0, PMIx 5.0) and in Ubuntu.
 *
 * @module
 */

/**
 * One thing that is needed.
 *
 * @typedef {object} Requirement
 * @property {string} name What it is called in messages.
 * @property {string[]} packages Debian packages that bring it.
 * @property {string[][]} programs One program of each group must be on the PATH.
 * @property {string[]} headers One of these files must exist below an include folder, if any is named.
 * @property {boolean} programsSuffice Whether the programs are enough even where dpkg knows no package: a compiler
 *   may come from anywhere.
 */

/** @type {Requirement} */
const COMPILER = {
  name: "C compiler",
  packages: ["gcc", "libc6-dev"],
  programs: [["cc", "gcc", "clang"]],
  headers: [],
  programsSuffice: true,
};

/** @type {Requirement} */
const OPEN_MPI = {
  name: "Open MPI",
  packages: ["openmpi-bin", "libopenmpi-dev"],
  programs: [
    ["mpicc.openmpi", "mpicc"],
    ["mpirun.openmpi", "mpirun"],
  ],
  headers: [],
  programsSuffice: false,
};

/** @type {Requirement} */
const PMIX = {
  name: "PMIx",
  packages: ["libpmix-dev"],
  programs: [],
  headers: ["pmix.h", "pmix2/include/pmix.h"],
  programsSuffice: false,
};

/** @type {Requirement} */
const ISAL = {
  name: "ISA-L (fast checksums)",
  packages: ["libisal-dev"],
  programs: [],
  headers: ["isa-l/crc.h"],
  programsSuffice: false,
};

/** @type {Requirement} */
const MPICH = {
  name: "MPICH (the second MPI, for tests)",
  packages: ["mpich", "libmpich-dev"],
  programs: [["mpicc.mpich"], ["mpiexec.mpich"]],
  headers: [],
  programsSuffice: false,
};

/** @type {Requirement} */
const PYTHON_VENV = {
  name: "Python (other readers of our files, for tests)",
  packages: ["python3-venv"],
  programs: [["python3"]],
  headers: [],
  programsSuffice: false,
};

/** @type {Requirement} */
const HDF5 = {
  name: "h5py and HDF5's tools (other readers and writers of .h5 files, for tests)",
  packages: [
    "python3-h5py",
    "python3-h5py-serial",
    "python3-h5py-mpi",
    "python3-mpi4py",
    "hdf5-tools",
  ],
  programs: [["h5dump"], ["h5diff"]],
  headers: [],
  programsSuffice: false,
};

/** Needed to build and to run the main job. */
export const PRODUCT_REQUIREMENTS = [COMPILER, OPEN_MPI, PMIX, ISAL];

/** Needed by some test suites, which are skipped without it. */
export const TEST_REQUIREMENTS = [MPICH, PYTHON_VENV, HDF5];
