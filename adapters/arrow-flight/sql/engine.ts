/**
 * Runs SQL over the tables of a pool, with the rights of who asks.
 *
 *     statement ─ parser ─▶ relations ─ rights, versions ─▶ datasets ─▶ DuckDB ─▶ batches
 *                                                             ◀─ columns, rows that it asks for
 *
 * @module
 */

import { type RecordBatch, Schema } from "apache-arrow";
import { DaosError, isDaosError, type Pool } from "../../../core/index.js";
import { framedMessage, IpcEncoder, listTables } from "../../arrow/index.js";
import { readableContainers } from "../access/pool-handles.js";
import { piecesOf } from "../calls/batch-stream.js";
import type { CallContext } from "../calls/call.js";
import { schemaBytes } from "../calls/flight-info.js";
import { openDataset } from "../datasets/dataset.js";
import { parseName, type TableRequest } from "../datasets/request.js";
import { badRequest } from "../errors.js";
import { SQL_MEMORY_SIZE_MAX, SQL_MS_MAX, SQL_PROCESSES_MAX, SQL_SIZE_MAX } from "../limits.js";
import type { Relation } from "./frames.js";
import { predicateOf } from "./pushdown.js";
import { SqlProcess } from "./sql-process.js";
import { conditionOn, examine, type NamedRelation, type Syntax } from "./syntax.js";

const WHAT = "Running a SQL statement";

/** Limits of statements. */
export interface SqlLimits {
  /** How long one may be worked on, in milliseconds; a minute by default. */
  readonly msMax?: number;
  /** Memory of DuckDB for one, in bytes; 512 MiB by default. */
  readonly memorySizeMax?: number;
  /** How many run at once; 4 by default. */
  readonly processesMax?: number;
}

/** Versions that a statement reads, by container: those that its schema was told of. */
export type PinnedVersions = Readonly<Record<string, string>>;

/** A relation with what it is read from. */
interface Source {
  readonly request: TableRequest;
  readonly relation: Relation;
}

/** What hears of a statement's results. */
export interface ResultSink {
  /** An IPC stream of no batches. */
  schema(stream: Uint8Array): Promise<void>;
  /** An IPC stream of one batch. */
  rows(stream: Uint8Array): Promise<void>;
}

function failureOf(message: string): Error {
  const [first = ""] = message.split("\n");
  if (/^Out of Memory/.test(first)) {
    const why = first.slice(0, 500);
    return new DaosError("DER_NOSPACE", { what: WHAT, why, remedy: "ask for less at once" });
  }
  return badRequest(WHAT, first.slice(0, 500), "correct the statement");
}

/** The table that a statement means by a name without a container. */
async function findTable(pool: Pool, table: string): Promise<string> {
  const { path } = parseName(`any/${table}`);
  const found: string[] = [];
  for (const container of readableContainers(pool)) {
    for await (const known of listTables(container)) {
      if (known.path === path) found.push(container.label);
    }
  }
  const [only] = found;
  if (found.length === 1 && only !== undefined) return only;
  const shown = table.slice(0, 200);
  if (only === undefined) {
    const why = `there is no table "${shown}"`;
    const remedy = 'name it as "container"."path of the table"';
    throw new DaosError("DER_NONEXIST", { what: WHAT, why, remedy });
  }
  const why = `containers ${found.join(", ")} have a table "${shown}"`;
  throw badRequest(WHAT, why, `write "${only}"."${shown}"`);
}

/** Runs statements, each in a process that runs nothing else meanwhile. */
export class SqlEngine {
  readonly #limits: Required<SqlLimits>;
  readonly #idle: SqlProcess[] = [];
  #running = 0;
  #isClosed = false;

  constructor({ msMax, memorySizeMax, processesMax }: SqlLimits = {}) {
    this.#limits = {
      msMax: msMax ?? SQL_MS_MAX,
      memorySizeMax: memorySizeMax ?? SQL_MEMORY_SIZE_MAX,
      processesMax: processesMax ?? SQL_PROCESSES_MAX,
    };
  }

  async #within<T>(signal: AbortSignal, body: (worker: SqlProcess) => Promise<T>): Promise<T> {
    const { processesMax, msMax } = this.#limits;
    if (this.#running >= processesMax) {
      const why = `${processesMax} statements run already`;
      throw new DaosError("DER_BUSY", { what: WHAT, why, remedy: "wait until one has ended" });
    }
    this.#running += 1;
    let worker: SqlProcess | undefined;
    const cut = () => worker?.end();
    signal.addEventListener("abort", cut);
    try {
      do worker = this.#idle.pop();
      while (worker !== undefined && !worker.isFree);
      worker ??= await SqlProcess.start();
      signal.throwIfAborted();
      worker.begin(msMax);
      return await body(worker);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      this.#running -= 1;
      signal.removeEventListener("abort", cut);
      // A statement that was refused leaves the process as it was; one that was cut off does not.
      if (worker?.isFree === true && !this.#isClosed) this.#idle.push(worker);
      else worker?.end();
    }
  }

  async #syntaxOf(worker: SqlProcess, sql: string): Promise<Syntax> {
    if (Buffer.byteLength(sql) > SQL_SIZE_MAX) {
      const why = `it has more than ${SQL_SIZE_MAX} bytes`;
      throw badRequest(WHAT, why, "send a shorter one");
    }
    worker.send({ kind: "parse", sql });
    const { head } = await worker.receive();
    if (head.kind === "parsed") return examine(head.tree);
    throw failureOf(head.kind === "failed" ? head.message : "");
  }

  /** The dataset of a relation, with what the statement does not want of it taken away. */
  async #sourceOf(
    { pool }: CallContext,
    named: NamedRelation,
    { syntax, pinned }: { syntax: Syntax; pinned: PinnedVersions },
  ): Promise<Source & { epoch: bigint }> {
    const { catalog, schema, table } = named;
    if (catalog !== "" && catalog !== pool.label) {
      const why = `there is no catalog "${catalog.slice(0, 200)}"`;
      const text = { what: WHAT, why, remedy: `leave it out, or write "${pool.label}"` };
      throw new DaosError("DER_NONEXIST", text);
    }
    const container = schema === "" ? await findTable(pool, table) : schema;
    const parsed = parseName(`${container}/${table}`);
    const version = parsed.version ?? pinned[container];
    const name = version === undefined ? parsed : { ...parsed, version };
    let request: TableRequest = { kind: "table", name };
    using dataset = await openDataset(pool, request);
    const condition = conditionOn(syntax, named);
    const target = condition && { schema: dataset.schema, names: condition.names };
    const where = target && condition && predicateOf(target, condition.where);
    if (where !== undefined && (await isBound(pool, { ...request, where }))) {
      request = { ...request, where };
    }
    const at = `0x${dataset.epoch.toString(16)}`;
    const relation = {
      ...{ catalog, schema, table },
      arrowSchema: schemaBytes(dataset.schema).toString("base64"),
      rows: dataset.rows[1],
    };
    request = { ...request, name: { ...name, version: at } };
    return { request, relation, epoch: dataset.epoch };
  }

  async #sources(worker: SqlProcess, context: CallContext, sql: string, pinned: PinnedVersions) {
    const syntax = await this.#syntaxOf(worker, sql);
    const versions: Record<string, string> = { ...pinned };
    const sources: Source[] = [];
    for (const named of syntax.relations) {
      const { epoch, ...source } = await this.#sourceOf(context, named, {
        syntax,
        pinned: versions,
      });
      const { container } = source.request.name;
      // All tables of a container are read at one epoch.
      if (parseName(`c/${named.table}`).version === undefined) {
        versions[container] ??= `0x${epoch.toString(16)}`;
      }
      sources.push(source);
    }
    return { sources, versions };
  }

  /**
   * What a statement would result in.
   *
   * @returns An IPC stream of no batches, and the versions that it would be of.
   * @throws `DaosError` `DER_INVAL`, `DER_NOSYS` for anything but one SELECT, `DER_NONEXIST`, `DER_NO_PERM`,
   *   `DER_TIMEDOUT`, `DER_NOSPACE`, `DER_SETUP` if DuckDB is not installed.
   */
  async describe(sql: string, context: CallContext) {
    return this.#within(context.signal, async (worker) => {
      const { sources, versions } = await this.#sources(worker, context, sql, {});
      const relations = sources.map(({ relation }) => relation);
      const { memorySizeMax } = this.#limits;
      worker.send({ kind: "describe", sql, relations, memorySizeMax });
      const { head, payload } = await worker.receive();
      if (head.kind !== "schema") throw failureOf(head.kind === "failed" ? head.message : "");
      await worker.receive();
      return { schema: payload, versions };
    });
  }

  /**
   * Runs a statement.
   *
   * @throws As {@link describe}, and what `sink` throws.
   */
  async run(
    sql: string,
    context: CallContext,
    { pinned, sink }: { pinned: PinnedVersions; sink: ResultSink },
  ): Promise<void> {
    return this.#within(context.signal, async (worker) => {
      const { sources } = await this.#sources(worker, context, sql, pinned);
      const relations = sources.map(({ relation }) => relation);
      const { memorySizeMax } = this.#limits;
      worker.send({ kind: "run", sql, relations, memorySizeMax });
      const scans = new Scans(context, sources);
      try {
        for (;;) {
          const { head, payload } = await worker.receive();
          if (head.kind === "done") return;
          if (head.kind === "schema") await sink.schema(payload);
          else if (head.kind === "rows") await sink.rows(payload);
          else if (head.kind === "next") await scans.answer(worker, head);
          else throw failureOf(head.kind === "failed" ? head.message : "");
        }
      } finally {
        await scans.end();
      }
    });
  }

  /** Ends all processes that do nothing. */
  close(): void {
    this.#isClosed = true;
    for (const worker of this.#idle.splice(0)) worker.end();
  }
}

/** Whether a scan takes a predicate. */
async function isBound(pool: Pool, request: TableRequest): Promise<boolean> {
  try {
    (await openDataset(pool, request))[Symbol.dispose]();
    return true;
  } catch (error) {
    if (isDaosError(error, "DER_INVAL")) return false;
    throw error;
  }
}

/** The scans of one statement. */
class Scans {
  readonly #context: CallContext;
  readonly #sources: readonly Source[];
  readonly #open = new Map<number, AsyncGenerator<readonly Uint8Array[]>>();

  constructor(context: CallContext, sources: readonly Source[]) {
    this.#context = context;
    this.#sources = sources;
  }

  async *#read(relation: number, columns: readonly string[]) {
    const { request } = this.#sources[relation] as Source;
    const { pool, signal } = this.#context;
    using dataset = await openDataset(pool, { ...request, columns });
    const flat = (batch: RecordBatch) => piecesOf(batch);
    for await (const batch of dataset.batches(signal)) {
      for (const piece of flat(batch)) {
        // Each batch is a stream of its own: dictionaries and all.
        const encoder = new IpcEncoder(new Schema(dataset.schema.fields));
        yield [encoder.schema(), ...encoder.encode(piece)].flatMap(framedMessage);
      }
    }
  }

  /** Sends the next batch of a scan. */
  async answer(
    worker: SqlProcess,
    { relation, scan, columns }: { relation: number; scan: number; columns: readonly string[] },
  ): Promise<void> {
    let batches = this.#open.get(scan);
    if (batches === undefined) {
      batches = this.#read(relation, columns);
      this.#open.set(scan, batches);
    }
    const { value, done } = await batches.next();
    worker.send({ kind: "batch" }, done === true ? [] : value);
  }

  /** Ends the scans that were not read to their end. */
  async end(): Promise<void> {
    for (const batches of this.#open.values()) await batches.return(undefined);
  }
}
