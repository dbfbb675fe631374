/**
 * Parts of chunks that several ranks wrote, brought to one rank each before a commit: filters work on whole chunks.
 *
 *     rank 0   part of chunk A ──┐                  ┌──▶ rank 0   A: parts of all ranks, encoded, stored
 *     rank 1   parts of A and B ─┴─▶ all to all ────┴──▶ rank 1   B
 *
 * Chunks that a rank wrote whole are stored by it at once and take no part in this.
 *
 * @module
 */

import { deserialize, serialize } from "node:v8";
import { attempt, type ObjectId } from "../../../core/index.js";
import type { ParallelGroup } from "./rank-changes.js";

/** Elements of a chunk that a rank wrote. */
export interface ChunkPiece {
  readonly oid: ObjectId;
  /** Index of the chunk along each dimension. */
  readonly index: readonly number[];
  /** For each dimension triples: first index in the piece, first index in the chunk, length. */
  readonly runs: readonly (readonly number[])[];
  /** Extents of the piece. */
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** Bytes of pieces that a rank sends to another one at once. */
const SENT_AT_ONCE = 32 * 1024 * 1024;
/** Factors that spread neighbours over the ranks. */
const SPREAD = 31;

function ownerOf({ index }: ChunkPiece, size: number): number {
  return index.reduce((sum, at) => (sum * SPREAD + at) % size, 0);
}

/** Pieces for each rank, in parts of bounded size. */
function portions(pieces: readonly ChunkPiece[], size: number): ChunkPiece[][][] {
  const queues = Array.from({ length: size }, (): ChunkPiece[][] => []);
  const filled = new Array<number>(size).fill(SENT_AT_ONCE);
  for (const piece of pieces) {
    const owner = ownerOf(piece, size);
    const queue = queues[owner] as ChunkPiece[][];
    if ((filled[owner] as number) >= SENT_AT_ONCE) {
      queue.push([]);
      filled[owner] = 0;
    }
    queue.at(-1)?.push(piece);
    filled[owner] = (filled[owner] as number) + piece.bytes.length;
  }
  return queues;
}

/** Sends one portion to each rank; receives theirs, in the order of the ranks. */
function exchangeOnce(
  group: ParallelGroup,
  portion: readonly (readonly ChunkPiece[])[],
): ChunkPiece[] {
  const messages = portion.map((pieces) =>
    pieces.length === 0 ? new Uint8Array(0) : serialize(pieces),
  );
  const counts = Float64Array.from(messages, ({ length }) => length);
  const expected = new Float64Array(group.size);
  group.alltoall(counts, expected);
  const received = Buffer.alloc(expected.reduce((sum, count) => sum + count, 0));
  group.alltoallv(Buffer.concat(messages), received, [...counts], [...expected]);
  let end = 0;
  return [...expected].flatMap((count) => {
    end += count;
    return count === 0 ? [] : (deserialize(received.subarray(end - count, end)) as ChunkPiece[]);
  });
}

/**
 * Brings pieces to the ranks that store their chunks. Collective: ranks without pieces call it too.
 *
 * @param apply Takes the pieces that came to this rank; those of a chunk in the order of the ranks.
 * @throws What failed on any rank, on all ranks.
 */
export async function exchangePieces(
  group: ParallelGroup,
  pieces: readonly ChunkPiece[],
  apply: (pieces: readonly ChunkPiece[]) => Promise<void>,
): Promise<void> {
  const queues = portions(pieces, group.size);
  const rounds = new Int32Array(group.size);
  group.allgather(Int32Array.of(Math.max(...queues.map(({ length }) => length))), rounds);
  let failure: unknown;
  for (let round = 0; round < Math.max(...rounds); round++) {
    const received = exchangeOnce(
      group,
      queues.map((queue) => queue[round] ?? []),
    );
    try {
      if (failure === undefined) await apply(received);
    } catch (error) {
      failure = error;
    }
  }
  attempt(group, () => {
    if (failure !== undefined) throw failure;
  });
}
