/**
 * Flight SQL: commands, tickets and actions that are messages of any type.
 *
 *     GetFlightInfo(CommandStatementQuery) ─▶ TicketStatementQuery ─ DoGet ─▶ batches
 *     DoAction(CreatePreparedStatement) ─▶ handle ─ CommandPreparedStatementQuery ─▶ the same
 *
 * Handles hold the statement itself: the server keeps nothing between calls, and looks at the caller's rights each time.
 *
 * @module
 */

import type { RecordBatch, Schema } from "apache-arrow";
import { readIpc } from "../../arrow/index.js";
import type { FlightAction } from "../calls/actions.js";
import { BatchSender } from "../calls/batch-stream.js";
import type { CallContext } from "../calls/call.js";
import type { Outgoing } from "../calls/client-stream.js";
import { schemaBytes } from "../calls/flight-info.js";
import { parseObject } from "../datasets/request.js";
import { badRequest, notServed } from "../errors.js";
import {
  type Any,
  type Codec,
  codecOf,
  codecs,
  type FlightDescriptor,
  type FlightInfo,
} from "../protocol/messages.js";
import { type PinnedVersions, SqlEngine, type SqlLimits } from "./engine.js";
import {
  batchOf,
  CATALOG_SCHEMAS,
  dbSchemas,
  type TableFilter,
  tables,
  tableTypes,
} from "./sql-catalog.js";
import { SQL_INFO_SCHEMA, sqlInfo } from "./sql-info.js";

const PACKAGE = "arrow.flight.protocol.sql";
const URL_PREFIX = `type.googleapis.com/${PACKAGE}.`;
const WHAT = "Reading a Flight SQL command";

const sqlCodec = <T extends object>(name: string): Codec<T> => codecOf<T>(`${PACKAGE}.${name}`);
const statementQuery = sqlCodec<{ query: string }>("CommandStatementQuery");
const statementTicket = sqlCodec<{ statementHandle: Uint8Array }>("TicketStatementQuery");
const preparedQuery = sqlCodec<{ preparedStatementHandle: Uint8Array }>(
  "CommandPreparedStatementQuery",
);
const createRequest = sqlCodec<{ query: string }>("ActionCreatePreparedStatementRequest");
const createResult = sqlCodec<{
  preparedStatementHandle: Uint8Array;
  datasetSchema: Uint8Array;
}>("ActionCreatePreparedStatementResult");
const tableFilter = sqlCodec<TableFilter>("CommandGetTables");
const infoRequest = sqlCodec<{ info: readonly number[] }>("CommandGetSqlInfo");

/** A statement, as handles hold it. */
interface Handle {
  readonly sql: string;
  readonly versions: PinnedVersions;
}

function handleOf(bytes: Uint8Array): Handle {
  const { sql, versions = {} } = parseObject(bytes, "Reading the handle of a statement");
  if (typeof sql === "string" && typeof versions === "object" && versions !== null) {
    return { sql, versions: versions as PinnedVersions };
  }
  throw badRequest(WHAT, "the handle is none of this server", "use one that it gave");
}

function handleBytes(handle: Handle): Buffer {
  return Buffer.from(JSON.stringify(handle));
}

function anyOf(name: string, value: Uint8Array): Buffer {
  return codecs.any.encode({ typeUrl: URL_PREFIX + name, value });
}

/** A message of any type in bytes, if it is one of Flight SQL's: JSON begins with another byte. */
export function sqlMessage(bytes: Uint8Array): { name: string; value: Uint8Array } | undefined {
  if (bytes[0] !== 0x0a) return undefined;
  let any: Any;
  try {
    any = codecs.any.decode(bytes);
  } catch {
    return undefined;
  }
  if (!any.typeUrl.startsWith(URL_PREFIX)) return undefined;
  return { name: any.typeUrl.slice(URL_PREFIX.length), value: any.value };
}

/** An answer that is known without a statement. */
interface Metadata {
  readonly schema: Schema;
  readonly batch: (context: CallContext) => Promise<RecordBatch> | RecordBatch;
}

/** Answers of catalogs, by the name of their command. */
function metadataOf(name: string, value: Uint8Array): Metadata | undefined {
  const empty = (schema: Schema): Metadata => ({ schema, batch: () => batchOf(schema, []) });
  const { catalogs, tablesWithSchema, tables: plain } = CATALOG_SCHEMAS;
  switch (name) {
    case "CommandGetCatalogs":
      return { schema: catalogs, batch: ({ pool }) => batchOf(catalogs, [[pool.label]]) };
    case "CommandGetDbSchemas": {
      const filter = sqlCodec<TableFilter>(name).decode(value);
      return {
        schema: CATALOG_SCHEMAS.dbSchemas,
        batch: ({ pool }) => dbSchemas(pool, given(filter)),
      };
    }
    case "CommandGetTables": {
      const filter = tableFilter.decode(value);
      const schema = filter.includeSchema === true ? tablesWithSchema : plain;
      return { schema, batch: ({ pool }) => tables(pool, given(filter)) };
    }
    case "CommandGetTableTypes":
      return { schema: CATALOG_SCHEMAS.tableTypes, batch: tableTypes };
    case "CommandGetSqlInfo": {
      const { info } = infoRequest.decode(value);
      return { schema: SQL_INFO_SCHEMA, batch: () => sqlInfo(info) };
    }
    case "CommandGetPrimaryKeys":
      return empty(CATALOG_SCHEMAS.primaryKeys);
    case "CommandGetExportedKeys":
    case "CommandGetImportedKeys":
    case "CommandGetCrossReference":
      return empty(CATALOG_SCHEMAS.foreignKeys);
    case "CommandGetXdbcTypeInfo":
      return empty(CATALOG_SCHEMAS.xdbcTypes);
    default:
      return undefined;
  }
}

/** What a message really has: its class gives the others a default. */
function given<T extends object>(message: T): T {
  return { ...message };
}

/** Answers the calls of Flight SQL. */
export class FlightSql {
  readonly #engine: SqlEngine;

  constructor(limits?: SqlLimits) {
    this.#engine = new SqlEngine(limits);
  }

  /** The schema of what a command results in, and the ticket to read it with. */
  async #described(command: Uint8Array, context: CallContext) {
    const message = sqlMessage(command);
    if (message === undefined) throw badRequest(WHAT, "it is none", "send a command");
    const { name, value } = message;
    const metadata = metadataOf(name, value);
    if (metadata !== undefined) return { schema: schemaBytes(metadata.schema), ticket: command };
    let sql: string;
    if (name === "CommandStatementQuery") ({ query: sql } = statementQuery.decode(value));
    else if (name === "CommandPreparedStatementQuery") {
      ({ sql } = handleOf(preparedQuery.decode(value).preparedStatementHandle));
    } else throw notServed(WHAT, `${name} is not served`, "send a statement that reads");
    const { schema, versions } = await this.#engine.describe(sql, context);
    const statementHandle = handleBytes({ sql, versions });
    const ticket = anyOf("TicketStatementQuery", statementTicket.encode({ statementHandle }));
    const { schema: result } = await readIpc([schema]);
    return { schema: schemaBytes(result), ticket };
  }

  /** `GetFlightInfo` of a command. */
  async info(descriptor: FlightDescriptor, context: CallContext): Promise<Partial<FlightInfo>> {
    const { schema, ticket } = await this.#described(descriptor.cmd, context);
    const endpoint = [{ ticket: { ticket }, location: [] }];
    return { schema, flightDescriptor: descriptor, endpoint, totalRecords: -1, totalBytes: -1 };
  }

  /** `GetSchema` of a command. */
  async schema({ cmd }: FlightDescriptor, context: CallContext): Promise<Buffer> {
    return (await this.#described(cmd, context)).schema;
  }

  /** `DoGet` of a ticket. */
  async get(
    { name, value }: { name: string; value: Uint8Array },
    context: CallContext,
    out: Outgoing,
  ): Promise<void> {
    const metadata = metadataOf(name, value);
    if (metadata !== undefined) {
      const sender = new BatchSender(out, metadata.schema);
      await sender.begin();
      const batch = await metadata.batch(context);
      if (batch.numRows > 0) await sender.send([batch]);
      return;
    }
    let handle: Handle;
    if (name === "TicketStatementQuery") {
      handle = handleOf(statementTicket.decode(value).statementHandle);
    } else if (name === "CommandPreparedStatementQuery") {
      handle = handleOf(preparedQuery.decode(value).preparedStatementHandle);
    } else throw notServed(WHAT, `${name} is not served`, "use a ticket of GetFlightInfo");
    let sender: BatchSender | undefined;
    const sink = {
      schema: async (bytes: Uint8Array) => {
        sender = new BatchSender(out, (await readIpc([bytes])).schema);
        await sender.begin();
      },
      rows: async (bytes: Uint8Array) => {
        await sender?.send(await readIpc([bytes]));
      },
    };
    await this.#engine.run(handle.sql, context, { pinned: handle.versions, sink });
  }

  /** The actions of Flight SQL. */
  get actions(): Readonly<Record<string, FlightAction>> {
    return {
      CreatePreparedStatement: {
        description: "Checks a SELECT and gives it a handle: ActionCreatePreparedStatementRequest",
        run: async (body, context) => {
          const message = sqlMessage(body);
          if (message === undefined) throw badRequest(WHAT, "it is none", "send a request");
          const { query: sql } = createRequest.decode(message.value);
          const { schema } = await this.#engine.describe(sql, context);
          const datasetSchema = schemaBytes((await readIpc([schema])).schema);
          const preparedStatementHandle = handleBytes({ sql, versions: {} });
          const result = createResult.encode({ preparedStatementHandle, datasetSchema });
          return [anyOf("ActionCreatePreparedStatementResult", result)];
        },
      },
      ClosePreparedStatement: {
        description: "Forgets a handle, of which the server knows nothing anyway",
        run: () => [],
      },
    };
  }

  /** Ends the processes that run statements. */
  close(): void {
    this.#engine.close();
  }
}
