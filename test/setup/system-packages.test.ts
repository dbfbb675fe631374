/**
 * System packages: which commands are run on which machine. The machine is a fake that keeps a list of them.
 */

import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { setUpSystemPackages } from "../../cli/setup/system-packages.mjs";

const PRODUCT = ["openmpi-bin", "libopenmpi-dev", "libpmix-dev", "libisal-dev"];
const HDF5 = [
  "python3-h5py",
  "python3-h5py-serial",
  "python3-h5py-mpi",
  "python3-mpi4py",
  "hdf5-tools",
];
const TESTS = ["mpich", "libmpich-dev", "python3-venv", ...HDF5];

/** A Debian machine with a compiler, on which apt-get works unless told otherwise. */
class FakeMachine {
  readonly commands: string[] = [];
  readonly installed: Set<string>;
  /** What `dpkg --audit` prints. */
  audit = "";
  /** Standard errors of the next calls of apt-get update. */
  updateErrors: string[] = [];
  /** How many installations fail before one succeeds. */
  failures = 0;

  constructor(
    installed: string[],
    readonly prefix: string[] | null = [],
    readonly programs: string[] = ["apt-get", "cc", "dpkg-query"],
  ) {
    this.installed = new Set(installed);
  }

  hasProgram = (name: string): boolean => this.programs.includes(name);
  hasHeader = (): boolean => false;
  installedPackages = (): Set<string> | undefined =>
    this.programs.includes("dpkg-query") ? this.installed : undefined;
  rootPrefix = (): string[] | undefined => this.prefix ?? undefined;

  run = (command: string[]): number => {
    this.commands.push(command.join(" "));
    const first = command.indexOf("--no-install-recommends");
    if (first < 0) return 0;
    this.failures -= 1;
    if (this.failures >= 0) return 100;
    for (const name of command.slice(first + 1)) this.installed.add(name);
    return 0;
  };

  capture = (command: string[]): { status: number; output: string; errors: string } => {
    if (command.includes("--audit")) return { status: 0, output: this.audit, errors: "" };
    this.commands.push(command.join(" "));
    const errors = this.updateErrors.shift() ?? "";
    return { status: errors === "" ? 0 : 100, output: "", errors };
  };
}

function setUp(machine: FakeMachine, options: { forTests?: boolean; skip?: boolean } = {}): void {
  setUpSystemPackages({ forTests: false, skip: false, machine, ...options });
}

/** The installations among the commands. */
function installs(machine: FakeMachine): string[] {
  return machine.commands.filter((command) => command.includes("--no-install-recommends"));
}

beforeEach(() => {
  // What the step says to the terminal is not what is tested here.
  jest.spyOn(process.stdout, "write").mockReturnValue(true);
  jest.spyOn(process.stderr, "write").mockReturnValue(true);
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe("setUpSystemPackages()", () => {
  test("runs nothing when all is present", () => {
    const machine = new FakeMachine(PRODUCT);
    setUp(machine);
    expect(machine.commands).toEqual([]);
  });

  test("installs exactly what is missing, without questions, waiting for dpkg's lock", () => {
    const machine = new FakeMachine(["openmpi-bin", "libpmix-dev"]);
    setUp(machine);
    expect(machine.commands[0]).toMatch(/apt-get .*update$/);
    expect(installs(machine)).toEqual([
      "env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 apt-get -y -q " +
        "-o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold " +
        "install --no-install-recommends libopenmpi-dev libisal-dev",
    ]);
  });

  test("installs what test suites use only for tests", () => {
    const machine = new FakeMachine(PRODUCT);
    setUp(machine, { forTests: true });
    expect(installs(machine)[0]?.endsWith(` ${TESTS.join(" ")}`)).toBe(true);
  });

  test("installs a compiler where there is none", () => {
    const machine = new FakeMachine(PRODUCT, [], ["apt-get", "dpkg-query"]);
    setUp(machine);
    expect(installs(machine)[0]).toMatch(/ gcc libc6-dev$/);
  });

  test("uses sudo, without a password, where it is not root", () => {
    const machine = new FakeMachine([], ["sudo", "-n"]);
    setUp(machine);
    expect(machine.commands.every((command) => command.startsWith("sudo -n env "))).toBe(true);
  });

  test.each([
    ["root", new FakeMachine([], null)],
    ["apt", new FakeMachine([], [], ["cc", "dpkg-query"])],
  ])("without %s stops with the exact list", (_, machine) => {
    expect(() => setUp(machine, { forTests: true })).toThrow(
      expect.objectContaining({
        name: "SetupError",
        remedy: expect.arrayContaining([
          `    apt-get update && apt-get install -y ${[...PRODUCT, ...TESTS].join(" ")}`,
        ]),
      }),
    );
    expect(machine.commands).toEqual([]);
  });

  test("without root goes on if only test suites would be skipped", () => {
    const machine = new FakeMachine(PRODUCT, null);
    expect(() => setUp(machine, { forTests: true })).not.toThrow();
    expect(machine.commands).toEqual([]);
  });

  test("runs nothing when told to leave the system alone", () => {
    const machine = new FakeMachine([]);
    expect(() => setUp(machine, { skip: true })).not.toThrow();
    expect(machine.commands).toEqual([]);
  });

  test("goes by programs and headers where there is no dpkg", () => {
    const programs = ["cc", "mpicc", "mpirun"];
    const machine = new FakeMachine([], null, programs);
    machine.hasHeader = () => true;
    expect(() => setUp(machine)).not.toThrow();
  });

  test("finishes an interrupted installation before it begins", () => {
    const machine = new FakeMachine(["openmpi-bin"]);
    machine.audit = "The following packages have been unpacked but not yet configured.";
    setUp(machine);
    const configure = machine.commands.findIndex((command) => command.includes("--configure -a"));
    const install = machine.commands.findIndex((command) => command.includes("--no-install"));
    expect(configure).toBeGreaterThan(-1);
    expect(configure).toBeLessThan(install);
  });

  test("repairs and tries once more when an installation fails", () => {
    const machine = new FakeMachine([]);
    machine.failures = 1;
    setUp(machine);
    expect(installs(machine)).toHaveLength(2);
    expect(machine.commands.some((command) => command.includes("--fix-broken install"))).toBe(true);
  });

  test("stops when apt-get does not install what the main job needs", () => {
    const machine = new FakeMachine([]);
    machine.failures = 9;
    expect(() => setUp(machine)).toThrow(/did not install openmpi-bin/);
  });

  test("goes on when apt-get does not install what only test suites use", () => {
    const machine = new FakeMachine(PRODUCT);
    machine.failures = 9;
    expect(() => setUp(machine, { forTests: true })).not.toThrow();
  });

  test("waits for the lock of the package lists, and installs though an update failed otherwise", () => {
    const machine = new FakeMachine([]);
    machine.updateErrors = [
      "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 1",
      "E: The repository 'http://example.org' does not have a Release file.",
    ];
    setUp(machine);
    expect(machine.commands.filter((command) => command.startsWith("sleep"))).toHaveLength(1);
    expect(installs(machine)).toHaveLength(1);
  });
});
