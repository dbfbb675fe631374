/**
 * Puts parts of chunks that other ranks wrote into the datasets that they are of.
 *
 * @module
 */

import type { ObjectId } from "../../../core/index.js";
import type { Session } from "../session.js";
import { readHeader } from "../storage/objects.js";
import { StoredDataset } from "../storage/stored-dataset.js";
import type { ChunkPiece } from "./chunk-exchange.js";

/** Puts pieces into their chunks, in their order. */
export async function applyPieces(session: Session, pieces: readonly ChunkPiece[]): Promise<void> {
  const datasets = new Map<ObjectId, StoredDataset>();
  for (const piece of pieces) {
    const { oid } = piece;
    let dataset = datasets.get(oid);
    if (dataset === undefined) {
      const name = `#${oid}`;
      const header = readHeader(session, oid, name);
      // It was removed since.
      if (header?.kind !== "dataset") continue;
      dataset = new StoredDataset({ session, oid, name }, header);
      datasets.set(oid, dataset);
    }
    await dataset.chunks.applyPiece(piece);
  }
}
