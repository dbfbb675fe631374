/**
 * writeH5(): a file appears as a whole, or what was there before stays, and nothing else is left.
 *
 * Method: exports are ended by a signal, an error of the source, a full disk and a kill, and the folder is looked at.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, test } from "@jest/globals";
import { type Datatype, openH5File, writeH5 } from "daos-ts/hdf5";
import { MemoryHdf5 } from "../../support/memory-hdf5.ts";
import { runProgram } from "../../support/processes.ts";
import { isNightly } from "../../support/property.ts";
import { root } from "../../support/root.ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { codeOf } from "../temporary-container.ts";

const PROGRAM = join(root, "test", "adapters", "hdf5", "programs", "write.mjs");
const UINT8: Datatype = {
  ...{ class: "integer", size: 1, order: "little", isSigned: false, precision: 8 },
  ...{ bitOffset: 0, padding: { low: 0, high: 0 } },
};

/** A file whose only dataset has 40 MiB, which take several boxes. */
function large(beforeRead?: () => void): MemoryHdf5 {
  const file = new MemoryHdf5();
  const shape = [40 << 20];
  const common = { type: UINT8, space: { kind: "simple", shape, maxShape: shape } } as const;
  file.top.add("d", file.dataset({ ...common, ...(beforeRead && { beforeRead }) }));
  return file;
}

describe("writeH5()", () => {
  test("refuses a file that exists, unless it may be replaced, and what is no file", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a.h5");
    writeFileSync(path, "old");
    const file = new MemoryHdf5();
    expect(await codeOf(() => writeH5(file, path))).toBe("DER_EXIST");
    expect(readFileSync(path, "utf8")).toBe("old");
    await writeH5(file, path, { replace: true });
    expect(readdirSync(directory)).toEqual(["a.h5"]);
    const source = await openH5File(path);
    await source.close();
    mkdirSync(join(directory, "folder"));
    const folder = () => writeH5(file, join(directory, "folder"), { replace: true });
    expect(await codeOf(folder)).toBe("DER_INVAL");
    const nowhere = () => writeH5(file, join(directory, "none", "a.h5"));
    expect(await codeOf(nowhere)).toBe("DER_NONEXIST");
    expect(readdirSync(directory).sort()).toEqual(["a.h5", "folder"]);
  });

  test("replaces a link by name, not what it leads to", async () => {
    const directory = temporaryDirectory();
    writeFileSync(join(directory, "precious"), "old");
    symlinkSync("precious", join(directory, "a.h5"));
    await writeH5(new MemoryHdf5(), join(directory, "a.h5"), { replace: true });
    expect(readFileSync(join(directory, "precious"), "utf8")).toBe("old");
  });

  test("a file that came there meanwhile stays", async () => {
    const path = join(temporaryDirectory(), "a.h5");
    const file = large(() => writeFileSync(path, "other"));
    expect(await codeOf(() => writeH5(file, path))).toBe("DER_EXIST");
    expect(readFileSync(path, "utf8")).toBe("other");
  });

  test("ends when it is told to, and leaves what was there", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a.h5");
    writeFileSync(path, "old");
    const giveUp = new AbortController();
    let bytes = 0;
    const options = {
      ...{ replace: true, signal: giveUp.signal },
      advance: (count: number) => {
        bytes += count;
        giveUp.abort();
      },
    };
    expect(await codeOf(() => writeH5(large(), path, options))).toBe("DER_CANCELED");
    expect(bytes).toBeLessThan(40 << 20);
    expect(await codeOf(() => writeH5(large(), path, options))).toBe("DER_CANCELED");
    expect(readdirSync(directory)).toEqual(["a.h5"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("an error of the source is thrown on, and nothing is left", async () => {
    const directory = temporaryDirectory();
    const file = large(() => {
      throw new RangeError("from the source");
    });
    await expect(writeH5(file, join(directory, "a.h5"))).rejects.toThrow("from the source");
    expect(readdirSync(directory)).toEqual([]);
  });

  test("a full disk is DER_NOSPACE, and leaves nothing", () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a.h5");
    // A limit on the size of files fails the same calls.
    const command = `ulimit -f 20480; exec "$0" "$@"`;
    const args = ["-c", command, process.execPath, PROGRAM, path, "64"];
    const { stdout } = runProgram("bash", args, { cwd: root });
    expect(stdout.trim().split("\n")).toEqual(["begun", '{"code":"DER_NOSPACE"}']);
    expect(readdirSync(directory)).toEqual([]);
  });

  test("memory stays bounded", () => {
    const path = join(temporaryDirectory(), "a.h5");
    const mebibytes = isNightly ? 6144 : 512;
    const { stdout } = runProgram(process.execPath, [PROGRAM, path, String(mebibytes)], {
      cwd: root,
    });
    const report = JSON.parse(stdout.trim().split("\n").at(-1) as string);
    expect(report).toMatchObject({ code: "written" });
    expect(report.size).toBeGreaterThan(mebibytes * 2 ** 20);
    expect(report.rss / 1024).toBeLessThan(512);
  });
});

describe("a killed writeH5()", () => {
  test("leaves what was there, and what it left is removed by the next one", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, "a.h5");
    writeFileSync(path, "old");
    const child = spawn(process.execPath, [PROGRAM, path, "2048"], { cwd: root });
    const [line] = await once(createInterface(child.stdout), "line");
    expect(line).toBe("begun");
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(readFileSync(path, "utf8")).toBe("old");
    expect(readdirSync(directory)).toHaveLength(2);
    await writeH5(new MemoryHdf5(), path, { replace: true });
    expect(readdirSync(directory)).toEqual(["a.h5"]);
  });
});
