/**
 * What a container handle has to do with objects: opening and creating them, and gathering their updates.
 *
 * @module
 */

import type { Container } from "../pool/container.js";
import type { ObjectId } from "../vos/object-id.js";
import type { ArrayAttributes } from "./array-format.js";
import {
  type ArrayCreateOptions,
  ArrayObject,
  loadAttributes,
  newArray,
  storeAttributes,
} from "./array-object.js";
import { DaosObject } from "./daos-object.js";
import { GroupCommit, type GroupSource } from "./group-commit.js";
import { KeyValue, type KvKeyKind, typeOfKeys } from "./key-value.js";
import type { CallOptions, ObjectSource } from "./object-access.js";

/** The objects of one container handle. */
export class ContainerObjects {
  readonly #container: Container;
  readonly #source: ObjectSource;

  constructor(container: Container, group: GroupSource) {
    this.#container = container;
    const commits = new GroupCommit(group);
    this.#source = {
      view: () => container.view(),
      submit: (body, options) => commits.submit(body, options),
      runTransaction: (body, options) => container.runTransaction(body, options),
    };
  }

  /** See {@link Container.openObject}. */
  openObject(oid: ObjectId): DaosObject {
    return new DaosObject(this.#source, oid);
  }

  /** See {@link Container.openKeyValue}. */
  openKeyValue(oid: ObjectId): KeyValue {
    return new KeyValue(this.#source, oid);
  }

  /** See {@link Container.createKeyValue}. */
  createKeyValue(keys: KvKeyKind): KeyValue {
    const type = typeOfKeys(keys);
    return new KeyValue(this.#source, this.#container.allocateOid(type));
  }

  /** See {@link Container.openArray}. */
  async openArray(
    oid: ObjectId,
    options: CallOptions & { given?: ArrayAttributes | undefined },
  ): Promise<ArrayObject> {
    return new ArrayObject(this.#source, oid, await loadAttributes(this.#source, oid, options));
  }

  /** See {@link Container.createArray}. */
  async createArray(options: ArrayCreateOptions & CallOptions): Promise<ArrayObject> {
    options.signal?.throwIfAborted();
    const { type, attributes } = newArray(options);
    const oid = this.#container.allocateOid(type);
    await storeAttributes(this.#source, { oid, attributes }, options);
    return new ArrayObject(this.#source, oid, attributes);
  }
}
