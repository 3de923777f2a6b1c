/**
 * Who a CONNECT comes from, and whether it is let in. Everything here happens before aedes registers the client,
 * because registering is what closes an older connection of the same id.
 */
import type { Socket } from 'node:net';
import { certificateNames } from './listener.ts';
import type { MqttSourceOptions, MqttUser } from './options.ts';
import { PasswordGate } from './passwords.ts';

export interface Identity {
  /** The same for the same user, whichever way it came. */
  principal: string;
  name: string;
  publish: readonly string[];
  subscribe: readonly string[];
}

/** CONNACK return codes (table 3.1) with the reason that is counted. */
export interface Refusal {
  returnCode: 2 | 3 | 4 | 5;
  reason:
    | 'client-id'
    | 'busy'
    | 'credentials'
    | 'not-authorized'
    | 'will'
    | 'takeover'
    | 'cool-down'
    | 'stopping';
  /** A user of ours that it claims to be. */
  user?: string;
}

export class Admission {
  readonly #options: MqttSourceOptions;
  readonly #users: ReadonlyMap<string, MqttUser>;
  readonly #gate = new PasswordGate();

  constructor(options: MqttSourceOptions) {
    this.#options = options;
    this.#users = new Map(options.users.map((user) => [user.name, user]));
  }

  async identify(
    socket: Socket,
    username: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<Identity | Refusal> {
    for (const name of certificateNames(socket)) {
      const user = this.#users.get(name);
      if (user) return identityOf(user);
    }
    if (username === undefined) {
      const anonymous = this.#options.anonymous;
      if (!anonymous) return { returnCode: 5, reason: 'not-authorized' };
      // Without names the address is all there is to tell one sender from another.
      const principal = `anonymous@${socket.remoteAddress ?? ''}`;
      return {
        principal,
        name: 'anonymous',
        publish: anonymous.publish,
        subscribe: [],
      };
    }
    return await this.#byPassword(socket.remoteAddress ?? '', username, password ?? new Uint8Array());
  }

  async #byPassword(address: string, username: string, password: Uint8Array): Promise<Identity | Refusal> {
    const user = this.#users.get(username);
    const stored = user?.password ?? NOBODY;
    // A user that does not exist costs as much as a wrong password: the time tells nothing.
    const verdict = await this.#gate.check(address, user ? username : '', password, stored);
    if (verdict === 'busy') return { returnCode: 3, reason: 'busy' };
    if (verdict === 'wrong' || user?.password === undefined)
      return { returnCode: 4, reason: 'credentials', ...(user ? { user: user.name } : {}) };
    return identityOf(user);
  }
}

function identityOf(user: MqttUser): Identity {
  return {
    principal: `user:${user.name}`,
    name: user.name,
    publish: user.publish,
    subscribe: user.subscribe ?? [],
  };
}

/** No password has this hash: it is random bytes. */
const NOBODY = 'scrypt$16384$8$1$m0Y1v0gq9mVw2kQ0c3b1Zg==$q7m1d1v9Qe8sJcHkq1o1Yw0v6o0m8b2m5l3f4n7t9xA=';
