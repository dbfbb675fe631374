/**
 * What every handle of a container has: names, rights, whether it is open, and its end.
 *
 * @module
 */

import type { Rights } from "../access/acl.js";
import type { Device } from "../device/device.js";
import { DaosError } from "../errors.js";
import type { ContainerRecord } from "../vos/containers.js";
import type { HandleLock } from "../vos/handle-locks.js";
import type { Target } from "../vos/target.js";
import { Administered, type AdministeredOrigin } from "./administered.js";
import { CONTAINER_PROPERTIES } from "./properties.js";
import { formatUuid } from "./uuid.js";

/** What a container handle is made of. */
export interface ContainerOrigin {
  readonly record: ContainerRecord;
  readonly device: Device;
  readonly pool: string;
  readonly readOnly: boolean;
  readonly rights: Rights;
  readonly lock: HandleLock;
  readonly rename: (label: string) => void;
  /** The handle as bytes. */
  readonly share: () => Uint8Array;
  readonly defaults: AdministeredOrigin["defaults"];
}

/** An open container, before what it is used for. */
export abstract class ContainerHandle extends Administered {
  /** The store that the handle works on. @internal */
  protected readonly target: Target;
  /** What the handle was made of. @internal */
  protected readonly origin: ContainerOrigin;
  #named: string | undefined;
  #isOpen = true;

  constructor(target: Target, origin: ContainerOrigin) {
    super();
    this.target = target;
    this.origin = origin;
  }

  /** The container's label. */
  get label(): string {
    const { record } = this.origin;
    return this.#named ?? record.label;
  }

  /** The container's UUID. */
  get uuid(): string {
    return formatUuid(this.origin.record.uuid);
  }

  /** Directory of the pool. */
  get pool(): string {
    return this.origin.pool;
  }

  /** Whether this handle may only read. */
  get readOnly(): boolean {
    return this.origin.readOnly;
  }

  /** Whether nobody closed the handle yet. @internal */
  protected get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The container's number in the index. @internal */
  protected get id(): number {
    return this.origin.record.id;
  }

  protected override administered(what: string): AdministeredOrigin {
    this.requireOpen(what);
    const { rights, readOnly, defaults, rename } = this.origin;
    const name = `container "${this.label}"`;
    const renamed = (label: string) => {
      rename(label);
      this.#named = label;
    };
    return {
      scope: this.id,
      name,
      rights,
      readOnly,
      table: CONTAINER_PROPERTIES,
      metadata: () => this.target.metadata,
      defaults,
      label: () => this.target.getContainer(this.id)?.label ?? this.label,
      rename: renamed,
    };
  }

  /** Closes the handle; its views stay. Later calls do nothing, other calls are `DER_NO_HDL`. */
  close(): void {
    this.#isOpen = false;
    this.origin.lock.release();
  }

  /** Closes the handle at the end of a `using` block. */
  [Symbol.dispose](): void {
    this.close();
  }

  /**
   * This handle as bytes, from which other processes of the machine make handles of their own, with its mode
   * and rights: see `Pool.containerFromGlobal`.
   *
   * @throws {@link DaosError} `DER_BUSY` if the handle is exclusive, `DER_NO_HDL`, `DER_NONEXIST`.
   */
  toGlobal(): Uint8Array {
    this.requireOpen(`Sharing the handle of container "${this.label}"`);
    return this.origin.share();
  }

  /** Refuses to go on through a closed handle, or in a destroyed container. @internal */
  protected requireOpen(what: string): void {
    if (!this.#isOpen) {
      const text = { what, why: "the container handle was closed", remedy: "open it again" };
      throw new DaosError("DER_NO_HDL", text);
    }
    if (this.target.getContainer(this.id) !== undefined) return;
    const text = { what, why: "the container was destroyed", remedy: "open another one" };
    throw new DaosError("DER_NONEXIST", text);
  }

  /** The same, and refuses a read-only handle. @internal */
  protected requireWritable(what: string): void {
    if (!this.#isOpen) this.requireOpen(what);
    if (!this.origin.readOnly) return;
    const why = "the handle is read-only";
    throw new DaosError("DER_NO_PERM", { what, why, remedy: 'connect with mode "rw"' });
  }
}
