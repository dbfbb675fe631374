/**
 * One run of the suite `arrow-flight`: a server in this process, a client in another, and bytes between them.
 *
 *     node arrow-flight-job.js <JSON of a Job>
 *
 * Prints the seconds that the client took from its request to the last byte, or to the answer that all is stored. Of
 * Flight the client is pyarrow, whose gRPC is that of most clients; of the peer it is `node:http2`.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import http2 from "node:http2";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { Table as ArrowTable, makeVector, type RecordBatch } from "apache-arrow";
import { Pool } from "daos-ts";
import { batchStream, Table } from "daos-ts/arrow";
import { FlightServer } from "daos-ts/arrow-flight";

/** What is run. */
export interface Job {
  readonly api: "flight" | "http2";
  readonly direction: "get" | "put";
  /** An empty directory. */
  readonly directory: string;
  /** Batches of 1 MiB. */
  readonly batches: number;
  /** Python with pyarrow. */
  readonly python: string;
}

const MIB = 2 ** 20;
const WINDOW_SIZE = 16 * MIB;
const CLIENT = "BENCH_FLIGHT_CLIENT";
const TOKEN = "token-of-the-benchmark";

/** The client of Flight: what it reads or writes is 1 MiB a message. */
const PYTHON = `
import json, sys, time
import pyarrow as pa, pyarrow.flight as flight
location, token, direction, batches = sys.argv[1:]
client = flight.connect(location)
options = flight.FlightCallOptions(headers=[(b"authorization", b"Bearer " + token.encode())])
batch = pa.record_batch([pa.array([1.5] * 131072)], names=["value"])
client.get_schema(flight.FlightDescriptor.for_path("c", "table"), options)
start = time.perf_counter()
if direction == "get":
    rows = 0
    for chunk in client.do_get(flight.Ticket(b'{"table": "c/table"}'), options):
        rows += chunk.data.num_rows
else:
    rows = int(batches) * 131072
    writer, answers = client.do_put(flight.FlightDescriptor.for_path("c", "written"), batch.schema, options)
    for _ in range(int(batches)):
        writer.write_batch(batch)
    writer.done_writing()
    assert json.loads(answers.read().to_pybytes())["rows"] == rows
    writer.close()
assert rows == int(batches) * 131072
print(time.perf_counter() - start)
`;

/** Runs a client and returns the seconds that it prints. */
async function secondsOf(command: string, args: readonly string[], env = process.env) {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  const [status] = await once(child, "close");
  const seconds = Number(output);
  if (status === 0 && seconds > 0) return seconds;
  throw new Error(`the client of the benchmark ended with status ${status}: ${output}`);
}

async function runFlight({ directory, direction, batches, python }: Job): Promise<number> {
  const pool = Pool.create({ path: path.join(directory, "pool"), durability: "process" });
  try {
    const container = pool.createContainer("c");
    const column = new ArrowTable({ value: makeVector(new Float64Array(131_072).fill(1.5)) });
    const batch = column.batches[0] as RecordBatch;
    const rows = Array.from({ length: direction === "get" ? batches : 1 }, () => batch);
    (await Table.createFrom(container, "table", batchStream(column.schema, rows))).close();
    const users = [{ name: "bench", isAdministrator: true, tokens: [TOKEN] }];
    await using server = await FlightServer.start({ pool: pool.path, users });
    const args = ["-c", PYTHON, server.location, TOKEN, direction, String(batches)];
    return await secondsOf(python, args);
  } finally {
    pool.close();
  }
}

/** Sends 1 MiB as often as asked, as the other side takes it. */
async function sendAll(stream: http2.Http2Stream, batches: number): Promise<void> {
  const bytes = Buffer.alloc(MIB, 1);
  for (let count = 0; count < batches; count++) {
    if (!stream.write(bytes)) await once(stream, "drain");
  }
  stream.end();
}

async function takeAll(stream: http2.Http2Stream): Promise<number> {
  let size = 0;
  stream.on("data", (chunk: Buffer) => {
    size += chunk.length;
  });
  await once(stream, "end");
  return size;
}

async function runHttp2(job: Job): Promise<number> {
  const server = http2.createServer({ settings: { initialWindowSize: WINDOW_SIZE } });
  server.on("session", (session) => session.setLocalWindowSize(WINDOW_SIZE));
  server.on("stream", async (stream) => {
    stream.respond();
    if (job.direction === "get") await sendAll(stream, job.batches);
    else stream.end(String(await takeAll(stream)));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const env = { ...process.env, [CLIENT]: String(port) };
  const program = fileURLToPath(import.meta.url);
  const seconds = await secondsOf(process.execPath, [program, JSON.stringify(job)], env);
  server.close();
  return seconds;
}

async function runHttp2Client({ direction, batches }: Job, port: string): Promise<void> {
  const settings = { settings: { initialWindowSize: WINDOW_SIZE } };
  const session = http2.connect(`http://127.0.0.1:${port}`, settings);
  await once(session, "connect");
  session.setLocalWindowSize(WINDOW_SIZE);
  const start = performance.now();
  const stream = session.request({ ":method": "POST" });
  if (direction === "get") {
    stream.end();
    const size = await takeAll(stream);
    if (size !== batches * MIB) throw new Error(`${size} bytes came`);
  } else {
    const answered = takeAll(stream);
    await sendAll(stream, batches);
    await answered;
  }
  console.log((performance.now() - start) / 1000);
  session.close();
}

const [text] = process.argv.slice(2);
if (text !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) {
  const job = JSON.parse(text) as Job;
  const port = process.env[CLIENT];
  if (port !== undefined) await runHttp2Client(job, port);
  else {
    fs.mkdirSync(job.directory);
    const run = job.api === "flight" ? runFlight : runHttp2;
    console.log(await run(job));
    // Connections that are kept open would keep the process.
    process.exit(0);
  }
}
