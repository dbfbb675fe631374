/**
 * `daos filesystem check`: tells what is wrong with names and files, and repairs it.
 */

import { join } from "node:path";
import { expect, test } from "@jest/globals";
import { Pool } from "daos-ts";
import { Dfs, ROOT_OID } from "daos-ts/dfs";
import { temporaryDirectory } from "../support/temporary.ts";
import { answerOf, runJson, runWell } from "./support/command-line.ts";

const CHECK = ["filesystem", "check"];

test("daos filesystem check finds a file without a name, and gives it one", async () => {
  const path = join(temporaryDirectory(), "run.pool");
  const address = `daos://${path}/results`;
  {
    using pool = Pool.create({ path, durability: "process" });
    const container = pool.createContainer("results");
    const dfs = Dfs.mount(container);
    await dfs.mkdir("d");
    await dfs.writeFile("d/a", "text");
    await dfs.writeFile("lost", "found");
    await dfs.symlink("d", "l");
    container.update((own) => own.punchDkey(ROOT_OID, Buffer.from("lost")));
  }
  const counts = { files: 2, directories: 1, links: 1, otherObjects: 0, faultCount: 1 };
  const { exitStatus, response } = runJson("daos", CHECK, [address]);
  expect(exitStatus).toBe(8);
  expect(response).toMatchObject({ ...counts, repaired: 0, faults: [{ kind: "orphan" }] });
  const done = answerOf("daos", CHECK, [address, "--repair"]);
  expect(done).toMatchObject({ ...counts, repaired: 1 });
  expect(runWell("daos", [...CHECK, address])).toBe("");
  using pool = Pool.connect(path);
  const dfs = Dfs.mount(pool.openContainer("results"));
  const [name] = await dfs.readdir("lost+found");
  expect(await dfs.readFile(`lost+found/${name}`, "utf8")).toBe("found");
});
