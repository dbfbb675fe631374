/**
 * Who may call: users with their groups, passwords and tokens, from a file or from a program.
 *
 *     { "users": [{ "name": "alice", "groups": ["staff"], "password": "scrypt:...", "tokens": ["..."] }] }
 *
 * Secrets are kept as digests only, and compared in a time that does not depend on them.
 *
 * @module
 */

import { createHash, randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { promisify } from "node:util";
import { DaosError, type Identity } from "../../../core/index.js";
import { badRequest } from "../errors.js";
import { CREDENTIAL_SIZE_MAX, USERS_FILE_SIZE_MAX } from "../limits.js";

/** Somebody who may call the server. */
export interface FlightUser {
  /** Name of the user, as access control lists have it. */
  readonly name: string;
  /** Names of the groups that the user belongs to. */
  readonly groups?: readonly string[];
  /** Whether this is an administrator, who may do everything. */
  readonly isAdministrator?: boolean;
  /** The password, or better what {@link hashPassword} makes of it. */
  readonly password?: string;
  /** Tokens that stand for the user, of at least 16 characters, or `sha256:` and the digest of one in hexadecimal. */
  readonly tokens?: readonly string[];
}

const PASSWORD_PATTERN = /^scrypt:([A-Za-z0-9+/=]+):([A-Za-z0-9+/=]+)$/;
const TOKEN_LENGTH_MIN = 16;
const KEY_SIZE = 32;
const SALT_SIZE = 16;
const derive = promisify(scrypt) as (
  password: string,
  salt: Buffer,
  size: number,
) => Promise<Buffer>;

/**
 * What a file of users should have instead of a password.
 *
 * @example
 * ```ts
 * const user = { name: "alice", password: await hashPassword("correct horse battery staple") };
 * ```
 */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_SIZE);
  const key = await derive(password, salt, KEY_SIZE);
  return `scrypt:${salt.toString("base64")}:${key.toString("base64")}`;
}

function digestOf(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}

interface KnownUser {
  readonly identity: Identity;
  readonly password: { salt: Buffer; key: Buffer } | { digest: Buffer } | undefined;
}

function passwordOf(written: string | undefined): KnownUser["password"] {
  if (written === undefined) return undefined;
  const [, salt, key] = PASSWORD_PATTERN.exec(written) ?? [];
  if (salt === undefined || key === undefined) return { digest: digestOf(written) };
  return { salt: Buffer.from(salt, "base64"), key: Buffer.from(key, "base64") };
}

function fault(why: string): DaosError {
  const remedy = 'write { "users": [{ "name": "alice", "tokens": ["..."] }] }';
  return badRequest("Reading the users of the Flight server", why, remedy);
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function checkUser(user: unknown): FlightUser {
  if (typeof user !== "object" || user === null) throw fault("a user is no object");
  const { name, groups = [], password, tokens = [], isAdministrator } = user as Partial<FlightUser>;
  if (typeof name !== "string" || name === "" || name.length > 255)
    throw fault("a user has no name");
  if (!isTexts(groups)) throw fault(`the groups of "${name}" are no list of names`);
  if (password !== undefined && typeof password !== "string") {
    throw fault(`the password of "${name}" is no text`);
  }
  if (!isTexts(tokens) || tokens.some(({ length }) => length < TOKEN_LENGTH_MIN)) {
    throw fault(`the tokens of "${name}" are no list of texts of ${TOKEN_LENGTH_MIN} characters`);
  }
  if (isAdministrator !== undefined && typeof isAdministrator !== "boolean") {
    throw fault(`isAdministrator of "${name}" is neither true nor false`);
  }
  const other = Object.keys(user).find(
    (key) => !["name", "groups", "password", "tokens", "isAdministrator"].includes(key),
  );
  if (other !== undefined) throw fault(`"${name}" has "${other}", which is not known`);
  return user as FlightUser;
}

/** The users who may call, by what they show. */
export class Users {
  readonly #byName = new Map<string, KnownUser>();
  readonly #byToken = new Map<string, Identity>();

  /** @throws `DaosError` `DER_INVAL` if two users have one name or token, or something is missing. */
  constructor(users: readonly FlightUser[]) {
    for (const one of users) {
      const { name, groups = [], isAdministrator = false, password, tokens = [] } = checkUser(one);
      if (this.#byName.has(name)) throw fault(`"${name}" is there twice`);
      const identity = { user: name, groups, isAdministrator };
      this.#byName.set(name, { identity, password: passwordOf(password) });
      for (const token of tokens) {
        const [, hex] = /^sha256:([0-9a-f]{64})$/.exec(token) ?? [];
        const digest = hex ?? digestOf(token).toString("hex");
        if (this.#byToken.has(digest)) throw fault(`a token of "${name}" is there twice`);
        this.#byToken.set(digest, identity);
      }
    }
  }

  /** The user of a name, whom somebody else vouches for. */
  named(name: string): Identity | undefined {
    return this.#byName.get(name)?.identity;
  }

  /** The user of a token. */
  ofToken(token: string): Identity | undefined {
    if (token.length > CREDENTIAL_SIZE_MAX) return undefined;
    return this.#byToken.get(digestOf(token).toString("hex"));
  }

  /** The user of a name and password. */
  async ofPassword(name: string, password: string): Promise<Identity | undefined> {
    if (password.length > CREDENTIAL_SIZE_MAX) return undefined;
    const known = this.#byName.get(name);
    const kept = known?.password;
    if (kept !== undefined && "digest" in kept) {
      return timingSafeEqual(kept.digest, digestOf(password)) ? known?.identity : undefined;
    }
    // A name that is not there takes as long as one that is.
    const { salt, key } = kept ?? { salt: Buffer.alloc(SALT_SIZE), key: undefined };
    const derived = await derive(password, salt, key?.length ?? KEY_SIZE);
    return key !== undefined && timingSafeEqual(key, derived) ? known?.identity : undefined;
  }
}

/**
 * Reads a file of users, which nobody but its owner may read.
 *
 * @throws `DaosError` `DER_INVAL` if it is no such file; `DER_NO_PERM` if others may read it; what `fs` throws.
 */
export function readUsers(file: string): FlightUser[] {
  const { mode, size } = statSync(file);
  const what = `Reading the users of the Flight server from ${file}`;
  if ((mode & 0o077) !== 0) {
    const why = "others than its owner may read or write it";
    throw new DaosError("DER_NO_PERM", { what, why, remedy: `run chmod 600 ${file}` }, { file });
  }
  if (size > USERS_FILE_SIZE_MAX) throw fault(`${file} has ${size} bytes`);
  let parsed: unknown;
  try {
    parsed = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError) throw fault(`${file} is no JSON: ${error.message}`);
    throw error;
  }
  const { users } = (parsed ?? {}) as { users?: unknown };
  if (!Array.isArray(users)) throw fault(`${file} has no list "users"`);
  return users.map(checkUser);
}
