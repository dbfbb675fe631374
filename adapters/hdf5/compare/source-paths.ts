/**
 * Names the objects of a file: by the path that leads to each first.
 *
 * @module
 */

import type { Hdf5Source, SourceObject } from "../description.js";

/** A link or object on the way through a file. */
export interface Visit {
  readonly path: string;
  readonly object: SourceObject;
}

/** Goes through the objects of a file, each once, groups before what is in them. */
export async function* walkObjects(source: Hdf5Source): AsyncGenerator<Visit> {
  const met = new Set<string>();
  async function* below(object: SourceObject, path: string): AsyncGenerator<Visit> {
    if (met.has(object.id)) return;
    met.add(object.id);
    yield { path: path === "" ? "/" : path, object };
    if (object.kind !== "group") return;
    for await (const link of object.links()) {
      if (link.kind === "hard") yield* below(await link.open(), `${path}/${link.name}`);
    }
  }
  yield* below(await source.root(), "");
}

/** Paths of the objects of a file. */
export class SourcePaths {
  readonly #source: Hdf5Source;
  readonly #paths = new Map<string, string>();
  readonly #references = new Map<bigint, string | undefined>();

  private constructor(source: Hdf5Source) {
    this.#source = source;
  }

  /** Goes through a file. */
  static async of(source: Hdf5Source): Promise<SourcePaths> {
    const paths = new SourcePaths(source);
    for await (const { path, object } of walkObjects(source)) paths.#paths.set(object.id, path);
    return paths;
  }

  /** Path of an object, by its identity. */
  find(id: string): string | undefined {
    return this.#paths.get(id);
  }

  /** Path of the object of a reference. */
  readonly pathOf = async (reference: bigint): Promise<string | undefined> => {
    if (this.#references.has(reference)) return this.#references.get(reference);
    const object = await this.#source.resolve(reference);
    const path = object && this.find(object.id);
    this.#references.set(reference, path);
    return path;
  };
}
