/**
 * A pool with a table, and a Flight server over it, for as long as a test file runs.
 *
 * @module
 */

import { join } from "node:path";
import { afterAll, beforeAll } from "@jest/globals";
import {
  Table as ArrowTable,
  makeVector,
  type RecordBatch,
  Utf8,
  vectorFromArray,
} from "apache-arrow";
import { type Container, Pool, processMetrics } from "daos-ts";
import { batchStream, Table } from "daos-ts/arrow";
import { FlightServer, type FlightServerOptions } from "daos-ts/arrow-flight";
import { temporaryDirectory } from "../../../support/temporary.ts";
import { TestClient } from "./client.ts";

/** Tokens of the users of {@link servedPool}. */
export const TOKENS = {
  admin: "token-of-the-administrator",
  writer: "token-of-the-writer-....",
  reader: "token-of-the-reader-....",
  stranger: "token-of-the-stranger-..",
} as const;

/** Users with different rights on the container "open"; nobody but the administrator has any on "closed". */
export const USERS: FlightServerOptions["users"] = [
  { name: "admin", isAdministrator: true, tokens: [TOKENS.admin], password: "admin's password" },
  { name: "writer", groups: ["team"], tokens: [TOKENS.writer] },
  { name: "reader", tokens: [TOKENS.reader] },
  { name: "stranger", tokens: [TOKENS.stranger] },
];

const ACL = "A::OWNER@:rwcdtTaAo,A:G:team@:rw,A::reader@:r,A::EVERYONE@:";
const POOL_ACL = "A::OWNER@:rwcdtTaAo,A:G:team@:rw,A::reader@:rw,A::stranger@:r,A::EVERYONE@:";

/** Rows of the table "open/runs/energy". */
export const ROWS = 10_000;

/** Rows `[start, end)` of that table. */
export function energyRows(start: number, end: number): ArrowTable {
  const count = end - start;
  const step = Int32Array.from({ length: count }, (_, row) => start + row);
  const energy = Float64Array.from({ length: count }, (_, row) => (start + row) / 2);
  const kinds = Array.from({ length: count }, (_, row) => ["odd", null, "even"][(start + row) % 3]);
  return new ArrowTable({
    step: makeVector(step),
    energy: makeVector(energy),
    kind: vectorFromArray(kinds, new Utf8()),
  });
}

/** Makes a table of one column of numbers, of so many MiB. */
export async function createWide(container: Container, path: string, mib: number): Promise<Table> {
  const column = new ArrowTable({ value: makeVector(new Float64Array(2 ** 17).fill(1.5)) });
  const batches = Array.from({ length: mib }, () => column.batches[0] as RecordBatch);
  return Table.createFrom(container, path, batchStream(column.schema, batches));
}

/** Bytes of arrays that this process has read of pools. */
export function bytesRead(): number {
  const family = processMetrics.snapshot().find(({ name }) => name === "daos_read_bytes_total");
  const [sample] = (family?.samples ?? []) as readonly { value?: number }[];
  return sample?.value ?? Number.NaN;
}

/** What a test file has. */
export interface Served {
  readonly pool: Pool;
  readonly container: Container;
  readonly server: FlightServer;
  /** Failures that were the server's own. */
  readonly errors: unknown[];
  client(user?: keyof typeof TOKENS): TestClient;
}

/** Makes a pool, the table and a server before the tests of a file. */
export function servedPool(options: Partial<FlightServerOptions> = {}): Served {
  const clients = new Map<string, TestClient>();
  const served = {
    errors: [] as unknown[],
    client: (user: keyof typeof TOKENS = "admin") => {
      const known = clients.get(user);
      if (known !== undefined) return known;
      const made = new TestClient((served as unknown as Served).server.location, TOKENS[user]);
      clients.set(user, made);
      return made;
    },
  } as { -readonly [Key in keyof Served]: Served[Key] };

  beforeAll(async () => {
    const path = join(temporaryDirectory({ until: "file" }), "pool");
    served.pool = Pool.create({ path, durability: "process", acl: POOL_ACL });
    served.container = served.pool.createContainer("open", { acl: ACL, retainCommits: 1000 });
    served.pool.createContainer("closed", { acl: "A::OWNER@:rwcdtTaAo,A::EVERYONE@:" });
    const rows = energyRows(0, ROWS);
    const batches = [rows.slice(0, 4000), rows.slice(4000)].flatMap((part) => part.batches);
    const stream = batchStream(rows.schema, batches);
    (await Table.createFrom(served.container, "runs/energy", stream)).close();
    const onError = (error: unknown) => served.errors.push(error);
    served.server = await FlightServer.start({
      pool: path,
      users: USERS ?? [],
      onError,
      ...options,
    });
  });

  afterAll(async () => {
    for (const client of clients.values()) client.close();
    await served.server.stop(0);
    served.pool.close();
  });
  return served;
}
