/**
 * `.venv-interop`: a Python environment with other readers and writers of our files (pyarrow, h5py), for test suites only.
 *
 * Always made from Debian's /usr/bin/python3: a python3 found on the PATH may be another one, without venv. Where
 * PyPI does not answer within 30 seconds the environment is left out and those suites are skipped, visibly; nothing
 * else depends on it.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { capture, captureBeside } from "./process.mjs";
import { notice, say } from "./report.mjs";
import { digestContents, digestTexts, isStamped, writeStamp } from "./stamp.mjs";

const STEP = "Python environment";
const ANSWER_MS_MAX = 30_000;
const INSTALL_MS_MAX = 300_000;
/** What pip prints once an index, a cache or a local folder has answered. */
const ANSWERED =
  /Downloading|Using cached|Processing|Obtaining|Installing collected|already satisfied/;

/**
 * Makes `.venv-interop`, or says why the suites that use it will be skipped. Never throws.
 *
 * @param {string} root Root of the clone.
 * @param {{python?: string, answerMsMax?: number}} [options] The Python to make it from; how long the first answer
 *   may take.
 */
export async function setUpInteropVenv(
  root,
  { python = "/usr/bin/python3", answerMsMax = ANSWER_MS_MAX } = {},
) {
  const folder = join(root, ".venv-interop");
  const requirements = join(root, "test", "interop", "requirements.txt");
  if (!existsSync(python)) return skip([`there is no ${python}`]);
  const version = capture(python, ["--version"]).output;
  const digest = digestTexts([version, digestContents([requirements]), folder]);
  const stamp = join(folder, ".daos-setup");
  if (isStamped(stamp, digest)) return say(STEP, "present");

  say(STEP, "making .venv-interop");
  rmSync(folder, { recursive: true, force: true });
  const made = await captureBeside(python, ["-m", "venv", folder]);
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    return skip([
      `${python} -m venv failed (Debian: apt-get install python3-venv):`,
      ...lastLines(made.printed),
    ]);
  }
  const pip = join(folder, "bin", "python");
  const failure = await installWithin(pip, requirements, answerMsMax);
  if (failure !== undefined) {
    rmSync(folder, { recursive: true, force: true });
    return skip(failure);
  }
  writeStamp(stamp, digest);
}

function skip(lines) {
  notice(STEP, [
    `the suites that compare with pyarrow and with the newest h5py will be skipped: ${lines[0]}`,
    ...lines.slice(1),
  ]);
}

/** Installs, with a limit on the first answer and one on the whole; returns why it failed, if it did. */
function installWithin(python, requirements, answerMsMax) {
  const options = [
    "--disable-pip-version-check",
    "--no-input",
    "--only-binary",
    ":all:",
    "--progress-bar",
    "off",
    // Python compiles what is imported, at its first import: a small part of what is installed.
    "--no-compile",
  ];
  const child = spawn(
    python,
    ["-m", "pip", "install", ...options, "--timeout", "30", "-r", requirements],
    {
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  return new Promise((resolve) => {
    let printed = "";
    let late;
    const stop = (reason) => () => {
      late = reason;
      child.kill("SIGKILL");
    };
    const answer = setTimeout(
      stop(`PyPI did not answer within ${answerMsMax / 1000} s`),
      answerMsMax,
    );
    const whole = setTimeout(stop("pip was not done within 300 s"), INSTALL_MS_MAX);
    const keep = (chunk) => {
      printed += chunk;
      if (ANSWERED.test(printed)) clearTimeout(answer);
    };
    child.stdout.on("data", keep);
    child.stderr.on("data", keep);
    child.on("error", (error) => {
      late = error.message;
    });
    child.on("close", (status) => {
      clearTimeout(answer);
      clearTimeout(whole);
      if (status === 0) resolve(undefined);
      else resolve([late ?? `pip failed with status ${status}:`, ...lastLines(printed)]);
    });
  });
}

function lastLines(text) {
  return text.trim().split("\n").slice(-3);
}
