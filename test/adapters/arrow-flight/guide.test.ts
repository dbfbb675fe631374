/**
 * The Python of docs/guides/arrow-flight.md, run in order: pyarrow and ADBC as clients.
 *
 * A block whose first line names a module needs that module; none of them may be missing.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { describeInterop, interopPython } from "../../support/interop.ts";
import { plainEnvironment } from "../../support/processes.ts";
import { root } from "../../support/root.ts";
import { servedPool, TOKENS } from "./support/server.ts";

const served = servedPool({ http: "127.0.0.1:0" });

/** Blocks of Python, each below a condition if it needs a module. */
function programOf(guide: string): { text: string; blocks: number } {
  const blocks = [...guide.matchAll(/^```python(?: (\w+))?\n([\s\S]*?)^```$/gm)];
  const parts = blocks.map(([, module, code = ""]) => {
    if (module === undefined) return `${code}print("block")\n`;
    const body = code.replace(/^(?=.)/gm, "    ");
    const found = `if importlib.util.find_spec("${module}") is not None:\n${body}    print("block")\n`;
    return `import importlib.util\n${found}else:\n    print("without ${module}")\n`;
  });
  return { text: parts.join("\n"), blocks: blocks.length };
}

describeInterop("the guide", () => {
  test("does what it says, with pyarrow and ADBC", async () => {
    served.pool.createContainer("results", { retainCommits: 100 }).close();
    const guide = readFileSync(join(root, "docs/guides/arrow-flight.md"), "utf8");
    const { text, blocks } = programOf(guide);
    expect(blocks).toBeGreaterThan(6);
    const given = {
      LOCATION: served.server.location,
      TOKEN: TOKENS.admin,
      HTTP: served.server.httpAddress,
    };
    const head = Object.entries(given).map(
      ([name, value]) => `${name} = ${JSON.stringify(value)}\n`,
    );
    const child = spawn(interopPython as string, ["-c", head.join("") + text], {
      env: plainEnvironment({}),
    });
    const output: string[] = [];
    const errors: string[] = [];
    child.stdout.on("data", (chunk) => output.push(String(chunk)));
    child.stderr.on("data", (chunk) => errors.push(String(chunk)));
    const [status] = await once(child, "close");
    expect([status, errors.join("")]).toEqual([0, ""]);
    const lines = output.join("").split("\n");
    const done = lines.filter((line) => line === "block").length;
    const without = lines.filter((line) => line.startsWith("without "));
    expect(done + without.length).toBe(blocks);
    expect(without).toEqual([]);
    expect(served.errors).toEqual([]);
  });
});
