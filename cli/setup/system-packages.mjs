/**
 * System packages: finds which Debian packages are missing and installs them.
 *
 * Three outcomes. All present: one line. Some missing, and root (or `sudo -n`) and apt-get are there: they are
 * installed. Some missing otherwise: the exact list is printed, and the set-up stops if the main job needs one of
 * them. `DAOS_SETUP_NO_SYSTEM=1` skips the step, for machines where an administrator or modules decide: without MPI
 * the package builds and works on one rank, without ISA-L it computes checksums in JavaScript.
 *
 * An installation that was killed is finished first (`dpkg --configure -a`, `apt-get --fix-broken install`).
 *
 * @module
 */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { capture, hasProgram, run } from "./process.mjs";
import { notice, SetupError, say } from "./report.mjs";
import { PRODUCT_REQUIREMENTS, TEST_REQUIREMENTS } from "./requirements.mjs";

const STEP = "system packages";
const LOCK_WAIT_SECONDS = 300;
const UPDATE_ATTEMPTS_MAX = 30;
const UPDATE_RETRY_SECONDS = 5;
const INCLUDE_FOLDERS = ["/usr/include", "/usr/local/include"];

/**
 * The machine as this step sees it; tests put another in its place.
 *
 * @typedef {object} Machine
 * @property {(name: string) => boolean} hasProgram Whether a program is on the PATH.
 * @property {(header: string) => boolean} hasHeader Whether a C header is installed.
 * @property {(packages: string[]) => Set<string> | undefined} installedPackages Which of these dpkg calls installed;
 *   undefined where there is no dpkg.
 * @property {() => string[] | undefined} rootPrefix What to put before a command to run it as root: nothing for
 *   root, sudo where it asks for no password, undefined where neither.
 * @property {(command: string[]) => number} run Runs a command and returns its status.
 * @property {(command: string[]) => {status: number, output: string, errors: string}} capture The same, keeping
 *   what it prints.
 */

/** @returns {Machine} */
export function thisMachine() {
  return {
    hasProgram,
    hasHeader: (header) => includeFolders().some((folder) => existsSync(join(folder, header))),
    installedPackages,
    rootPrefix,
    run: ([command, ...args]) => run(command, args),
    capture: ([command, ...args]) => capture(command, args),
  };
}

/**
 * Makes the system packages present.
 *
 * @param {{forTests: boolean, skip: boolean, machine?: Machine}} options `forTests` also installs what only test
 *   suites use; `skip` only says what is missing.
 * @throws {SetupError} If something that the main job needs is missing and cannot be installed.
 */
export function setUpSystemPackages({ forTests, skip, machine = thisMachine() }) {
  const product = findMissing(PRODUCT_REQUIREMENTS, machine);
  const extra = forTests ? findMissing(TEST_REQUIREMENTS, machine) : [];
  const packages = [...product, ...extra].flatMap((requirement) => requirement.packages);
  if (packages.length === 0) return say(STEP, "present");
  if (skip) {
    return notice(STEP, [
      `not installed, because DAOS_SETUP_NO_SYSTEM is set: ${packages.join(" ")}`,
      ...describe([...product, ...extra]),
    ]);
  }
  const prefix = machine.hasProgram("apt-get") ? machine.rootPrefix() : undefined;
  if (prefix === undefined) return refuse(product, extra, packages, machine);
  say(STEP, `installing ${packages.join(" ")}`);
  install(packages, prefix, machine);
  const remaining = findMissing(product, machine);
  const remainingExtra = findMissing(extra, machine);
  if (remaining.length > 0) {
    const list = remaining.flatMap((requirement) => requirement.packages).join(" ");
    throw new SetupError(
      `apt-get did not install ${list}; its own messages are above.`,
      howToGoOn(list),
    );
  }
  if (remainingExtra.length > 0) {
    notice(STEP, [
      "apt-get did not install what some test suites use; they will be skipped:",
      ...describe(remainingExtra),
    ]);
  }
}

/** Without root or apt: stops for what the main job needs, tells about the rest. */
function refuse(product, extra, packages, machine) {
  const list = packages.join(" ");
  if (product.length === 0) {
    return notice(STEP, [
      `some test suites will be skipped. To run them, install as root: apt-get install ${list}`,
      ...describe(extra),
    ]);
  }
  const reason = machine.hasProgram("apt-get")
    ? "this user is not root, and sudo is missing or asks for a password"
    : "there is no apt-get on this machine";
  throw new SetupError(`Packages are missing and cannot be installed: ${reason}.`, [
    ...describe([...product, ...extra]),
    ...howToGoOn(list),
  ]);
}

function howToGoOn(list) {
  return [
    "Install them as root, then run the same command again:",
    `    apt-get update && apt-get install -y ${list}`,
    "Or go on without them (one rank where MPI is missing, slower checksums without ISA-L):",
    "    DAOS_SETUP_NO_SYSTEM=1 npm start",
  ];
}

function describe(requirements) {
  return requirements.map(({ name, packages }) => `missing: ${name}: ${packages.join(" ")}`);
}

/**
 * Returns what is missing of a list of requirements.
 *
 * @param {import("./requirements.mjs").Requirement[]} requirements What to look for.
 * @param {Machine} machine Where to look.
 * @returns {import("./requirements.mjs").Requirement[]} With only the packages that are missing.
 */
export function findMissing(requirements, machine) {
  const installed = machine.installedPackages(requirements.flatMap(({ packages }) => packages));
  return requirements.flatMap((requirement) => {
    const { programs, headers, packages, programsSuffice } = requirement;
    const hasPrograms = programs.every((group) => group.some((name) => machine.hasProgram(name)));
    if (installed === undefined || programsSuffice) {
      const hasHeaders =
        headers.length === 0 || headers.some((header) => machine.hasHeader(header));
      if (hasPrograms && hasHeaders) return [];
      if (installed === undefined) return [requirement];
    }
    const missing = packages.filter((name) => !installed.has(name));
    return missing.length === 0 ? [] : [{ ...requirement, packages: missing }];
  });
}

/** Installs; a first failure is followed by apt's own repair and a second try. */
function install(packages, prefix, machine) {
  const quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "NEEDRESTART_SUSPEND=1"];
  const options = [
    "-y",
    "-q",
    "-o",
    `DPkg::Lock::Timeout=${LOCK_WAIT_SECONDS}`,
    "-o",
    "Dpkg::Options::=--force-confold",
  ];
  const apt = (...args) => [...prefix, ...quiet, "apt-get", ...options, ...args];
  updateLists(apt("update"), machine);
  const wanted = ["install", "--no-install-recommends", ...packages];
  // A killed installation leaves unpacked packages behind, and apt-get refuses to work until they are configured.
  const audit = machine.capture(["dpkg", "--audit"]);
  if (audit.output.trim() !== "") repair(apt, prefix, quiet, machine);
  if (machine.run(apt(...wanted)) === 0) return;
  repair(apt, prefix, quiet, machine);
  machine.run(apt(...wanted));
}

function repair(apt, prefix, quiet, machine) {
  say(STEP, "finishing an interrupted installation");
  machine.run([...prefix, ...quiet, "dpkg", "--force-confold", "--configure", "-a"]);
  machine.run(apt("--fix-broken", "install"));
}

/** apt-get's lock timeout does not cover the package lists, so a busy list lock is waited for here. */
function updateLists(command, machine) {
  for (let attempt = 1; attempt <= UPDATE_ATTEMPTS_MAX; attempt += 1) {
    const { status, errors } = machine.capture(command);
    if (status === 0) return;
    if (!/lists\/lock/.test(errors)) {
      // An update fails as a whole if one foreign archive does; the packages may still be there.
      notice(STEP, [
        "apt-get update failed, trying to install all the same:",
        ...errors.trim().split("\n").slice(-3),
      ]);
      return;
    }
    say(STEP, "waiting for another apt-get");
    machine.run(["sleep", String(UPDATE_RETRY_SECONDS)]);
  }
}

function installedPackages(packages) {
  if (!hasProgram("dpkg-query")) return undefined;
  // dpkg-query's status says whether it knew all names, which is no failure here.
  // biome-ignore lint/suspicious/noTemplateCurlyInString: dpkg's placeholders, not JavaScript's.
  const format = "-f=${Package} ${db:Status-Status}\\n";
  const { output } = capture("dpkg-query", ["-W", format, ...packages]);
  return new Set(
    output
      .split("\n")
      .filter((line) => line.endsWith(" installed"))
      .map((line) => line.split(" ")[0]),
  );
}

function rootPrefix() {
  if (process.getuid() === 0) return [];
  if (hasProgram("sudo") && capture("sudo", ["-n", "true"]).status === 0) return ["sudo", "-n"];
  return undefined;
}

function includeFolders() {
  const named = (process.env.CPATH ?? "").split(":").filter((folder) => folder !== "");
  const triplets = ["x86_64-linux-gnu", "aarch64-linux-gnu"];
  // Debian keeps PMIx's headers below /usr/lib/<triplet>/pmix2/include.
  return [...named, ...INCLUDE_FOLDERS, ...triplets.map((name) => `/usr/lib/${name}`)];
}
