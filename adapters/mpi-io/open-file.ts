/**
 * Opening a file on all ranks: one rank finds or creates it, the others learn where it is.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { bootstrap, type Communicator, Mode } from "node-mpi-bindings";
import { type Hints, mayWrite } from "node-mpi-bindings/transports";
import {
  agree,
  attempt,
  type Container,
  type ContainerView,
  DaosError,
  type Epoch,
  type ObjectId,
  onRoot,
  Pool,
  requireOneNode,
  SharedCounter,
} from "../../core/index.js";
import { create, type Inode, lookup, notFound, parseLocation } from "../dfs/index.js";
import { checkHints } from "./hints.js";
import { SharedPointer } from "./shared-pointer.js";

const ROOT = 0;
/** Words of 32 bits of what ranks ask for: whether it is refused, whether the rank leads, and a digest. */
const DIGEST_START = 2;
const DIGEST_WORDS = 4;
const REQUEST_WORDS = DIGEST_START + DIGEST_WORDS;

/** Hints of `File.open`; unknown ones are ignored, as the standard says. */
export interface Info {
  /** Opens the file as of this epoch, read-only. */
  readonly daos_epoch?: string;
  /** Opens the file as of the container's snapshot of this name, read-only. */
  readonly daos_snapshot?: string;
  /** When commits happen: at sync and close ("sync", the default), or after every collective write. */
  readonly daos_commit?: "sync" | "every-collective";
  readonly [key: string]: string | undefined;
}

/** What all ranks must ask for alike. */
export interface OpenRequest {
  readonly path: string;
  readonly amode: number;
  readonly hints: Hints;
  /** The hints as an object. */
  readonly info: Info;
}

/** A file that is open on this rank. */
export interface OpenedFile {
  readonly pool: Pool;
  readonly container: Container;
  readonly view: ContainerView;
  readonly oid: ObjectId;
  /** Path in the container. */
  readonly path: string;
  /** Punch epoch of the file's object, as the root found it. */
  readonly incarnation: Epoch;
  /** Rank of the communicator that does background work on this node. */
  readonly leader: number;
  /** The pointer of all ranks. */
  readonly shared: SharedPointer;
}

/** What the root tells the other ranks: where the file is, and at which epoch to read. */
interface Found {
  /** Of the pool. */
  readonly directory: string;
  readonly container: string;
  readonly path: string;
  readonly oid: ObjectId;
  readonly incarnation: Epoch;
  readonly epoch: Epoch;
  /** Where the counter of the shared pointer is; "" for one rank, which needs none. */
  readonly counter: string;
}

function encodeFound(found: Found): Uint8Array {
  const replacer = (_key: string, value: unknown) =>
    typeof value === "bigint" ? value.toString() : value;
  return Buffer.from(JSON.stringify(found, replacer));
}

function decodeFound(bytes: Uint8Array): Found {
  const raw = JSON.parse(Buffer.from(bytes).toString()) as Record<keyof Found, string>;
  const { directory, container, path, counter } = raw;
  const [oid, incarnation, epoch] = [raw.oid, raw.incarnation, raw.epoch].map(BigInt) as [
    bigint,
    bigint,
    bigint,
  ];
  return { directory, container, path, oid, incarnation, epoch, counter };
}

/** Whether hints ask for one version, which does not change. */
export function asksForVersion({ daos_epoch, daos_snapshot }: Info): boolean {
  return daos_epoch !== undefined || daos_snapshot !== undefined;
}

/**
 * Parses the hints `daos_epoch` and `daos_snapshot`.
 *
 * @throws `DaosError` `DER_INVAL`, or `DER_EP_RO` if the file is to be written.
 */
function versionHint({ path, amode, info }: OpenRequest): Epoch | { snapshot: string } | undefined {
  if (!asksForVersion(info)) return undefined;
  const { daos_epoch: epoch, daos_snapshot: snapshot } = info;
  const version = snapshot === undefined ? `epoch ${epoch}` : `snapshot "${snapshot}"`;
  const what = `Opening "${path}" at ${version}`;
  if (epoch !== undefined && snapshot !== undefined) {
    const why = `daos_epoch ${epoch} was given too`;
    throw new DaosError("DER_INVAL", { what, why, remedy: "give one of the two hints" });
  }
  if (epoch !== undefined && !/^\d{1,20}$/.test(epoch)) {
    const remedy = "give the epoch as a decimal number";
    throw new DaosError("DER_INVAL", { what, why: "that is no epoch", remedy });
  }
  if (mayWrite(amode)) {
    const remedy = "open it with Mode.RDONLY";
    throw new DaosError("DER_EP_RO", { what, why: "old versions cannot be written", remedy });
  }
  return snapshot === undefined ? BigInt(epoch as string) : { snapshot };
}

/**
 * Creates the file, or finds the one that another job has just created. What is read on the way is the
 * same at the commit, or it is done again: the file is never lost in a directory that is removed meanwhile.
 */
function createFile(container: Container, { amode }: OpenRequest, path: string): ObjectId {
  return container.runTransaction((state) => {
    const appeared = lookup(state, path);
    if (appeared !== undefined && (amode & Mode.EXCL) === 0) return fileOf(appeared, path);
    return create(container, state, { path, kind: "file" }).oid;
  }).value;
}

/** On the root: finds the file, or creates it. */
function find(request: OpenRequest): { found: Omit<Found, "counter">; pool: Pool } {
  const location = parseLocation(request.path);
  const { path } = location;
  const version = versionHint(request);
  const pool = connect(location.pool, request.amode);
  try {
    const container = pool.openContainer(location.container);
    // A name is looked up once: all ranks read the epoch that it has now.
    using pinned = version === undefined ? undefined : container.view(version);
    const epoch = pinned?.epoch;
    const existing = inodeAt(container, path, epoch);
    if (existing === undefined && (request.amode & Mode.CREATE) === 0) throw notFound(request.path);
    if (existing !== undefined && (request.amode & Mode.EXCL) !== 0) throw alreadyThere(request);
    const oid = existing ?? createFile(container, request, path);
    const incarnation = container.incarnation(oid);
    using view = container.view(epoch);
    const where = { directory: location.pool, container: location.container, path };
    return { found: { ...where, oid, incarnation, epoch: view.epoch }, pool };
  } catch (error) {
    pool.close();
    throw error;
  }
}

function alreadyThere({ path }: OpenRequest): DaosError {
  const remedy = "leave Mode.EXCL out, or choose another name";
  return new DaosError("DER_EXIST", { what: `Creating "${path}"`, why: "it exists", remedy });
}

function inodeAt(
  container: Container,
  path: string,
  epoch: Epoch | undefined,
): ObjectId | undefined {
  using view = container.view(epoch);
  const inode = lookup({ view }, path);
  return inode && fileOf(inode, path);
}

/** The object of a file's bytes. */
function fileOf(inode: Inode, path: string): ObjectId {
  if (inode.kind !== "directory") return inode.oid;
  const remedy = "name a file";
  const text = { what: `Opening "${path}"`, why: "it is a directory", remedy };
  throw new DaosError("DER_INVAL", text, { path, posix: "EISDIR" });
}

function connect(directory: string, amode: number): Pool {
  const { namespace, rank, node } = bootstrap().identity;
  const owner = `rank ${rank} of job ${namespace || "(none)"} on ${node}`;
  return Pool.connect(directory, { mode: mayWrite(amode) ? "rw" : "ro", owner });
}

/** What ranks must ask for alike, in so many bytes. */
function digestOf({ path, amode, info }: OpenRequest): Int32Array {
  const text = `${amode} ${info.daos_commit ?? "sync"} ${path}`;
  const { buffer, byteOffset } = createHash("sha256").update(text).digest();
  return new Int32Array(buffer.slice(byteOffset, byteOffset + DIGEST_WORDS * 4));
}

/**
 * Refuses ranks that ask for different things, and what one of them must not ask for. Collective.
 *
 * @returns The rank that does background work: the job's leader on this node, or else rank 0.
 */
export function agreeOnRequest(comm: Communicator, request: OpenRequest): number {
  let failure: unknown;
  try {
    checkHints(request.hints);
  } catch (error) {
    failure = error;
  }
  const own = new Int32Array(REQUEST_WORDS);
  own.set([failure === undefined ? 0 : 1, bootstrap().isNodeLeader ? 1 : 0]);
  own.set(digestOf(request), DIGEST_START);
  const all = new Int32Array(comm.size * REQUEST_WORDS);
  comm.allgather(own, all);
  const ranks = Array.from({ length: comm.size }, (_, rank) =>
    all.subarray(rank * REQUEST_WORDS, (rank + 1) * REQUEST_WORDS),
  );
  if (ranks.some(([failed]) => failed === 1)) agree(comm, failure);
  const { path } = request;
  const digests = ranks.map((words) => words.subarray(DIGEST_START).join());
  const other = digests.findIndex((digest) => digest !== digests[0]);
  if (other > 0) {
    const why = `rank ${other} asks for another file, mode or daos_commit than rank 0`;
    const remedy = "give the same path, mode and hint on all ranks";
    throw new DaosError("DER_MISMATCH", { what: `Opening "${path}"`, why, remedy });
  }
  return Math.max(
    0,
    ranks.findIndex(([, leads]) => leads === 1),
  );
}

/**
 * Opens a file on all ranks. Collective.
 *
 * @param leader What {@link agreeOnRequest} has returned.
 * @throws `DaosError` on every rank, if it fails on one; nothing stays open then.
 */
export function openCollectively(
  comm: Communicator,
  request: OpenRequest,
  leader: number,
): OpenedFile {
  requireOneNode(comm, `Opening "${request.path}"`);
  let pool: Pool | undefined;
  let counter: SharedCounter | undefined;
  try {
    const bytes = onRoot(comm, ROOT, () => {
      const first = find(request);
      pool = first.pool;
      if (comm.size > 1) counter = SharedCounter.create();
      return encodeFound({ ...first.found, counter: counter?.path ?? "" });
    });
    const found = decodeFound(bytes);
    const { path, oid, incarnation } = found;
    return attempt(comm, () => {
      pool ??= connect(found.directory, request.amode);
      if (found.counter !== "") counter ??= SharedCounter.open(found.counter);
      const container = pool.openContainer(found.container);
      const view = container.view(found.epoch);
      const shared = new SharedPointer(comm, counter);
      return { pool, container, view, oid, path, incarnation, leader, shared };
    });
  } catch (error) {
    counter?.close();
    pool?.close();
    throw error;
  } finally {
    if (comm.rank === ROOT) counter?.unlink();
  }
}
