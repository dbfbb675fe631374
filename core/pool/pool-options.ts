/**
 * How pools and containers are created and opened, and what they tell of themselves.
 *
 * @module
 */

import type { Acl } from "../access/acl-format.js";
import type { Identity } from "../access/identity.js";
import type { Device } from "../device/device.js";
import type { Retention } from "../vos/retention.js";
import type { TargetUsage } from "../vos/usage.js";
import type { PoolSize } from "./pool-size.js";
import type { Properties } from "./properties.js";
import type { Durability } from "./superblock-format.js";

/** How a pool is created. */
export interface PoolCreateOptions extends AdministeredCreateOptions {
  /** Group that owns the pool, with or without `@`; the directory's by default. */
  readonly group?: string;
  /** Directory of the pool; made if it does not exist, else it must be empty. */
  readonly path: string;
  /** Name for people; the directory's name by default. */
  readonly label?: string;
  /** What the pool survives; `power` by default. Fixed for the pool's life. */
  readonly durability?: Durability;
  /** Directory for the index and small values, if it should lie elsewhere: a fast, local one. */
  readonly scm?: string;
  /** Directory for bulk data, if it should lie elsewhere. */
  readonly nvme?: string;
  /** How large the pool may become, in bytes; bounded by its file systems only by default. */
  readonly size?: PoolSize;
}

/** How a pool is opened. */
export interface PoolConnectOptions {
  /** `rw` by default; `ex` is `rw` with no other handle beside it. */
  readonly mode?: "ro" | "rw" | "ex";
  /** Who connects; the user of the process by default. Programs that act for others give them here. */
  readonly identity?: Identity;
  /** What this process calls itself when it writes, for `query`; its host by default. */
  readonly owner?: string;
  /** Files, clock and randomness; the machine's by default. Tests inject faults here. */
  readonly device?: Device;
}

/** How a pool is destroyed. */
export interface PoolDestroyOptions {
  /** Also while others have it open; what they do with it fails from then on. Also if a tier is missing. */
  readonly force?: boolean;
  /** Also if it has containers. */
  readonly recursive?: boolean;
  /** Who destroys it; the user of the process by default. */
  readonly identity?: Identity;
  /** Files of the machine by default. */
  readonly device?: Device;
}

/** Who owns a new pool or container, who may use it, and its properties. */
export interface AdministeredCreateOptions {
  /** Properties with DAOS's names; see docs/guides/administration.md. */
  readonly properties?: Properties;
  /** Access control list; by default, of a pool what its files' permissions say, of a container what the pool's allows. */
  readonly acl?: string | Acl;
}

/** What `query` tells. Sizes in bytes. */
export interface PoolInfo extends TargetUsage {
  /** Directory of the pool. */
  readonly path: string;
  /** Name for people. */
  readonly label: string;
  /** The pool's UUID. */
  readonly uuid: string;
  /** What the pool survives. */
  readonly durability: Durability;
  /** What a user should know of the pool's durability. */
  readonly notes: readonly string[];
  /** Number of containers. */
  readonly containers: number;
  /** Number of snapshots of all containers. */
  readonly snapshots: number;
  /** Open handles of all processes. */
  readonly openHandles: number;
  /** Labels of containers that a scrub found damaged. */
  readonly unclean: readonly string[];
}

/** A container in a list. */
export interface ContainerListing {
  /** Unique in the pool. */
  readonly label: string;
  /** 8-4-4-4-12 hexadecimal digits. */
  readonly uuid: string;
  /** Open handles of all processes. */
  readonly openHandles: number;
}

/** How a container is opened. */
export interface ContainerOpenOptions {
  /** As the pool by default; `ex` is `rw` with no other handle beside it. */
  readonly mode?: "ro" | "rw" | "ex";
  /** Opens it although a scrub found it damaged. */
  readonly force?: boolean;
}

/** How a container is created. */
export interface ContainerCreateOptions extends AdministeredCreateOptions {
  /** How many of the newest commits can always be read; 2 by default, at least 1. */
  readonly retainCommits?: number;
  /** The same, and for how long versions can be read; see {@link Retention}. */
  readonly retain?: Partial<Retention>;
}
