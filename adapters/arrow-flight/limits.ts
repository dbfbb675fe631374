/**
 * Limits of the Flight server, unit last.
 *
 * @module
 */

const KIB = 1024;
const MIB = 1024 * KIB;

/** Largest message that is taken, in bytes: a batch with its metadata. */
export const MESSAGE_SIZE_MAX = 64 * MIB;
/** Body that batches are cut to before they are sent, in bytes. */
export const SENT_BODY_SIZE = 2 * MIB;
/** Least rows that a batch is cut into before it is sent. */
export const SENT_ROWS_MIN = 64;
/** Bytes on their way to one client, above which no more are read for it. */
export const PENDING_SIZE_MAX = 4 * MIB;
/** Pieces of a message that are copied together before they are sent, in bytes: larger ones cost more to copy. */
export const JOINED_PIECE_SIZE_MAX = 4 * KIB;
/** Messages of one client that are held decoded, besides the one that is worked on. */
export const PENDING_MESSAGES_MAX = 2;
/** Window of HTTP/2 flow control, in bytes: what one client may send before it is read. */
export const WINDOW_SIZE = 4 * MIB;
/** Calls that one connection may have open. */
export const STREAMS_PER_CONNECTION_MAX = 100;
/** Calls at once, by default. */
export const CALLS_MAX = 256;
/** How long a call may wait for its client, in milliseconds, by default. */
export const IDLE_MS_MAX = 5 * 60_000;
/** How long an open connection without calls is kept, in milliseconds. */
export const CONNECTION_IDLE_MS_MAX = 30 * 60_000;
/** Pause after which a silent connection is asked whether it lives, in milliseconds. */
export const KEEPALIVE_MS = 30_000;
/** How long its answer may take, in milliseconds. */
export const KEEPALIVE_ANSWER_MS_MAX = 20_000;
/** How long calls may go on while the server stops, in milliseconds, by default. */
export const STOP_MS_MAX = 10_000;
/** Largest command or ticket, in bytes. */
export const COMMAND_SIZE_MAX = 1 * MIB;
/** Longest error text that is sent, in characters: it travels in a header. */
export const ERROR_TEXT_LENGTH_MAX = 2000;
/** Conditions and literals of a predicate: each takes time for each row. */
export const CONDITIONS_MAX = 1000;
/** Pool handles that are kept for the users who call. */
export const USERS_CONNECTED_MAX = 64;
/** How long a session token is good, in milliseconds. */
export const SESSION_MS_MAX = 12 * 3600_000;
/** Largest file of users, in bytes. */
export const USERS_FILE_SIZE_MAX = 4 * MIB;
/** Longest name or secret of a caller, in bytes. */
export const CREDENTIAL_SIZE_MAX = 4 * KIB;
/** Endpoints of a table, by default: how many clients may read it in parallel. */
export const ENDPOINTS_DEFAULT = 4;
/** Most endpoints of a table. */
export const ENDPOINTS_MAX = 1024;
/** Rows that an endpoint has at least. */
export const ENDPOINT_ROWS_MIN = 256 * KIB;
/** Requests of one DoExchange. */
export const EXCHANGE_REQUESTS_MAX = 1_000_000;
/** Longest address of an HTTP request, in bytes. */
export const URL_SIZE_MAX = 64 * KIB;
/** How long an HTTP request may take to come, in milliseconds. */
export const REQUEST_MS_MAX = 30_000;
/** Longest SQL text, in bytes. */
export const SQL_SIZE_MAX = 256 * KIB;
/** Processes that run SQL at once, by default. */
export const SQL_PROCESSES_MAX = 4;
/** Memory of DuckDB for one statement, in bytes, by default. */
export const SQL_MEMORY_SIZE_MAX = 512 * MIB;
/** Heap of JavaScript beside it, in MiB. */
export const SQL_HEAP_MIB_MAX = 512;
/** How long a statement may run, in milliseconds, by default. */
export const SQL_MS_MAX = 60_000;
/** Milliseconds in which the process of a statement must have started. */
export const SQL_START_MS_MAX = 60_000;
/** Largest message between the server and a process that runs SQL, in bytes. */
export const SQL_MESSAGE_SIZE_MAX = 256 * MIB;
/** Relations of one statement. */
export const SQL_RELATIONS_MAX = 64;
/** Rows of a batch that a statement results in. */
export const SQL_BATCH_ROWS = 32 * KIB;
