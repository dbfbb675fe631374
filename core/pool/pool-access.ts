/**
 * Who may do what with a pool and its containers: the stored owner, group and list of each, and what takes
 * their place if none is stored.
 *
 *     pool       stored ─▶ else what the permissions of its files say
 *     container  stored ─▶ else its owner has all, others what the pool's list allows
 *
 * @module
 */

import fs from "node:fs";
import path from "node:path";
import {
  aclOfMode,
  inheritedRights,
  type Ownership,
  type Rights,
  rightsOf,
} from "../access/acl.js";
import { type Acl, toAcl } from "../access/acl-format.js";
import { groupNameOf, type KnownIdentity, userNameOf } from "../access/identity.js";
import type { IndexReader } from "../index/index-store.js";
import { getProperty, POOL_SCOPE } from "../vos/metadata.js";
import { INDEX_FILE } from "../vos/usage.js";

/** Who owns something, and who may use it. */
export interface Access {
  readonly ownership: Ownership;
  readonly acl: Acl;
}

/** Access to one pool, for one user. */
export class PoolAccess {
  readonly #directory: string;
  readonly #reader: () => IndexReader;
  /** Who asks. */
  readonly identity: KnownIdentity;

  constructor(directory: string, reader: () => IndexReader, identity: KnownIdentity) {
    this.#directory = directory;
    this.#reader = reader;
    this.identity = identity;
  }

  /** What the files' permissions say, for a pool that has no list of its own. */
  ofFiles(): Access {
    const { mode, uid, gid } = fs.statSync(path.join(this.#directory, "scm", INDEX_FILE));
    const ownership = { owner: userNameOf(uid), group: groupNameOf(gid) };
    return { ownership, acl: aclOfMode(mode) };
  }

  #stored(scope: number, defaults: Access): Access {
    const reader = this.#reader();
    const text = (name: string) => getProperty(reader, scope, name)?.toString();
    const owner = text("owner") ?? defaults.ownership.owner;
    const group = text("group") ?? defaults.ownership.group;
    const acl = text("acl");
    return { ownership: { owner, group }, acl: acl ? toAcl(acl) : defaults.acl };
  }

  /** Of the pool. */
  ofPool(): Access {
    return this.#stored(POOL_SCOPE, this.ofFiles());
  }

  /** Whether the pool has a list of its own. */
  hasOwnAcl(): boolean {
    return getProperty(this.#reader(), POOL_SCOPE, "acl") !== undefined;
  }

  /** Of a container that has no list of its own: its owner has all, others what the pool gives. */
  containerDefaults(): Access {
    const { ownership, acl } = this.ofPool();
    const inherited = acl.map((entry) => {
      const isOwner = entry.principal === "OWNER@";
      const permissions = isOwner ? "rwdtTaAo" : inheritedRights(entry.permissions);
      return { ...entry, permissions };
    });
    return { ownership, acl: inherited };
  }

  /** What the user may do with the pool by its list alone. */
  poolRights(): Rights {
    const { ownership, acl } = this.ofPool();
    return rightsOf(acl, ownership, this.identity);
  }

  /** What the user may do with a container. */
  containerRights(id: number): Rights {
    const { ownership, acl } = this.#stored(id, this.containerDefaults());
    return rightsOf(acl, ownership, this.identity);
  }
}
