/**
 * The files of a pool have the permissions of its access control list: real users, of other ids than this one's.
 *
 * @module
 */

import { chmodSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "@jest/globals";
import { Pattern, Pool, wholeOf } from "daos-ts";
import { temporaryDirectory } from "../../support/temporary.ts";
import { Program } from "../support/program.ts";

const isRoot = process.getuid?.() === 0;
const GROUP = 54_321;
const MEMBERS = [
  { uid: 12_001, gid: GROUP },
  { uid: 12_002, gid: GROUP },
] as const;
const STRANGER = { uid: 12_003, gid: 12_003 };
const OWNER = "A::OWNER@:rwcdtTaAo";
const ALL = { write: "none", read: "none", files: "none" };
const READ = { write: "DER_NO_PERM", read: "none", files: "none" };
const NOTHING = { write: "DER_NO_PERM", read: "DER_NO_PERM", files: "EACCES" };

function modesOf(path: string): Set<string> {
  const names = ["", "scm", "nvme"].map((name) => join(path, name));
  const files = names.flatMap((name) => readdirSync(name).map((entry) => join(name, entry)));
  const modes = [...names, ...files].map((name) => {
    const stats = statSync(name);
    return `${stats.isDirectory() ? "d" : "f"}${(stats.mode & 0o777).toString(8)}`;
  });
  return new Set(modes);
}

function poolFor(acl: string): { pool: Pool; scratch: string } {
  const directory = temporaryDirectory();
  chmodSync(directory, 0o755);
  const scratch = join(directory, "scratch");
  mkdirSync(scratch);
  const pool = Pool.create({ path: join(directory, "pool"), acl, group: `${GROUP}` });
  const bytes = new Uint8Array(100_000);
  const range = wholeOf(Pattern.contiguous(0, bytes.length));
  pool.createContainer("main").update((tx) => tx.write(1n, range, bytes));
  return { pool, scratch };
}

async function use(
  { path }: Pool,
  scratch: string,
  { uid, gid }: { uid: number; gid: number },
): Promise<unknown> {
  const program = new Program("use-as-other", [path, scratch, `${uid}`, `${gid}`]);
  await program.printed(1);
  await program.kill();
  return JSON.parse(program.lines[0] as string);
}

describe("P11: files of a pool", () => {
  test("P11: have the permissions of the list that it is created with, also new segments", () => {
    const { pool } = poolFor(`${OWNER}, A:G:GROUP@:rt, A::EVERYONE@:`.replaceAll(", ", "\n"));
    expect(modesOf(pool.path)).toEqual(new Set(["d750", "f640"]));
  });

  test.each([
    ["A:G:GROUP@:rwt\nA::EVERYONE@:", ["d770", "f660"]],
    ["A:G:GROUP@:rt\nA::EVERYONE@:rt", ["d755", "f644"]],
    ["A:G:GROUP@:\nA::EVERYONE@:", ["d700", "f600"]],
  ])("P11: follow a change of the list: %j", (acl, modes) => {
    const { pool } = poolFor(OWNER);
    pool.overwriteAcl(`${OWNER}\n${acl}`);
    expect(modesOf(pool.path)).toEqual(new Set(modes));
  });

  test("P11: keep what the user chose, without a list", () => {
    const directory = temporaryDirectory();
    const pool = Pool.create({ path: join(directory, "pool") });
    const before = modesOf(pool.path);
    pool.setOwner({ group: `${GROUP}` });
    expect(modesOf(pool.path)).toEqual(before);
  });

  (isRoot ? test : test.skip)(
    "P11: let other users do what the list says, and nothing else (needs root)",
    async () => {
      const { pool, scratch } = poolFor(`${OWNER}\nA:G:GROUP@:rwt\nA::EVERYONE@:`);
      const [first, second] = MEMBERS;
      expect(await use(pool, scratch, first)).toEqual(ALL);
      // Writes on in the tail that the first one's segment has.
      expect(await use(pool, scratch, second)).toEqual(ALL);
      expect(await use(pool, scratch, STRANGER)).toEqual(NOTHING);
      pool.updateAcl("A:G:GROUP@:rt");
      expect(await use(pool, scratch, first)).toEqual(READ);
      pool.updateAcl("A::EVERYONE@:rt");
      expect(await use(pool, scratch, STRANGER)).toEqual(READ);
      pool.deleteAclEntry("EVERYONE@");
      expect(await use(pool, scratch, STRANGER)).toEqual(NOTHING);
    },
  );
});
