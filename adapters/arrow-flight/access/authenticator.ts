/**
 * Who calls: by a token, a name and password, or a client's certificate.
 *
 * @module
 */

import { DaosError, type Identity } from "../../../core/index.js";
import { UnauthenticatedError } from "../errors.js";
import { CREDENTIAL_SIZE_MAX } from "../limits.js";
import { SessionTokens } from "./session-tokens.js";
import { type FlightUser, Users } from "./users.js";

/** What a caller shows. */
export interface Credentials {
  /** Value of the header `authorization`, or `undefined`. */
  readonly authorization: string | undefined;
  /** Common name of the certificate that the client showed and that was verified, or `undefined`. */
  readonly certificateName: string | undefined;
}

/** Whom the server lets in. */
export interface AuthenticationOptions {
  /** Who may call. */
  readonly users?: readonly FlightUser[];
  /** Whom calls without credentials act for. Without it they are refused. */
  readonly anonymous?: Identity;
}

const WHAT = "Finding out who calls";

function refused(why: string): UnauthenticatedError {
  const remedy = 'send "authorization: Bearer" with a token, or a name and password in a handshake';
  return new UnauthenticatedError("DER_NO_PERM", { what: WHAT, why, remedy });
}

/** Name and password of a header of the kind "Basic". */
function basicOf(encoded: string): [name: string, password: string] {
  const text = Buffer.from(encoded, "base64").toString();
  const colon = text.indexOf(":");
  if (colon < 0) throw refused("the credentials have no colon");
  return [text.slice(0, colon), text.slice(colon + 1)];
}

/** Finds out who calls. */
export class Authenticator {
  readonly #users: Users;
  readonly #anonymous: Identity | undefined;
  readonly #sessions: SessionTokens;

  constructor(options: AuthenticationOptions, now?: () => number) {
    this.#users = new Users(options.users ?? []);
    this.#anonymous = options.anonymous;
    this.#sessions = new SessionTokens(now);
  }

  /**
   * The user of a call.
   *
   * @throws `DaosError` that is {@link UnauthenticatedError}.
   */
  async identify({ authorization, certificateName }: Credentials): Promise<Identity> {
    if (authorization !== undefined && authorization !== "") return this.#ofHeader(authorization);
    if (certificateName !== undefined) {
      return this.#users.named(certificateName) ?? { user: certificateName, groups: [] };
    }
    if (this.#anonymous !== undefined) return this.#anonymous;
    throw refused("the call has no credentials");
  }

  async #ofHeader(authorization: string): Promise<Identity> {
    if (authorization.length > CREDENTIAL_SIZE_MAX) throw refused("the credentials are too long");
    const [, kind = "", rest = ""] = /^(\S+)\s+(\S.*)$/.exec(authorization) ?? [];
    if (kind.toLowerCase() === "basic") return this.ofPassword(...basicOf(rest));
    if (kind.toLowerCase() !== "bearer") throw refused("they are neither Basic nor Bearer");
    const found = this.#users.ofToken(rest) ?? this.#ofSession(rest);
    if (found === undefined) throw refused("the token is none of this server, or no longer good");
    return found;
  }

  #ofSession(token: string): Identity | undefined {
    const user = this.#sessions.userOf(token);
    return user === undefined ? undefined : this.#users.named(user);
  }

  /**
   * The user of a name and password.
   *
   * @throws `DaosError` that is {@link UnauthenticatedError}.
   */
  async ofPassword(name: string, password: string): Promise<Identity> {
    const found = await this.#users.ofPassword(name, password);
    if (found === undefined) throw refused("there is no such user with this password");
    return found;
  }

  /** A token for a user of this server, for calls to come; `undefined` for others, who need none. */
  issue({ user }: Identity): string | undefined {
    return this.#users.named(user) === undefined ? undefined : this.#sessions.issue(user);
  }
}

/** Refuses a server that nobody could call. */
export function requireCallers({ users = [], anonymous }: AuthenticationOptions, tls: boolean) {
  if (users.length > 0 || anonymous !== undefined || tls) return;
  throw new DaosError("DER_INVAL", {
    what: "Starting the Flight server",
    why: "nobody may call it: there are no users, no anonymous identity and no client certificates",
    remedy: "give users, or let anonymous calls act for somebody",
  });
}
