/**
 * Tokens that the server gives to who has shown a password: a name and a time, signed.
 *
 *     base64url({"user": "alice", "until": 1767225600000}) "." base64url(HMAC-SHA256)
 *
 * The key lives as long as the server; nothing is stored.
 *
 * @module
 */

import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { SESSION_MS_MAX } from "../limits.js";

/** Makes and checks session tokens. */
export class SessionTokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;

  /** @param now The time in milliseconds. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  #sign(payload: string): Buffer {
    return createHmac("sha256", this.#key).update(payload).digest();
  }

  /** A token for a user. */
  issue(user: string): string {
    const text = JSON.stringify({ user, until: this.#now() + SESSION_MS_MAX });
    const payload = Buffer.from(text).toString("base64url");
    return `${payload}.${this.#sign(payload).toString("base64url")}`;
  }

  /** The user of a token that was issued here and is still good. */
  userOf(token: string): string | undefined {
    const [payload = "", written = "", rest] = token.split(".");
    const signature = Buffer.from(written, "base64url");
    const expected = this.#sign(payload);
    if (rest !== undefined || signature.length !== expected.length) return undefined;
    if (!timingSafeEqual(signature, expected)) return undefined;
    const { user, until } = JSON.parse(Buffer.from(payload, "base64url").toString());
    return until >= this.#now() ? user : undefined;
  }
}
