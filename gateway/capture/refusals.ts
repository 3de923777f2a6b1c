/**
 * Whom a listener did not take, by a few reasons that stay what they are: for status, metrics and doctor. Of the last one
 * of each reason is kept what tells a person whom to call. Never a topic, a client id, a password or what was sent.
 */

export const refusalReasons = [
  'tls', // no handshake: no certificate or a wrong one, no TLS at all, or ours is not trusted
  'address', // outside `range`
  'limit', // more connections than it may have, in all or from one address
  'credentials', // no user of ours, or a wrong password
  'acl', // a topic that its user may not publish to
  'client-id', // too long, or another's
  'protocol', // it speaks something else
] as const;

export type RefusalReason = (typeof refusalReasons)[number];

/** Who was refused last for a reason; what is not known is ''. */
export interface LastRefused {
  address: string;
  /** A user that the settings name, or that a verified certificate does. */
  user?: string;
  /** What of the reason it was: OpenSSL's word, or our own. */
  detail?: string;
}

/** How many, and the last of them. */
export interface Refusal extends Required<LastRefused> {
  count: number;
  /** In microseconds since 1970. */
  atUs: number;
}

export interface Refused extends Refusal {
  reason: RefusalReason;
  /** The same by `detail`, the one that came last at the end. */
  causes: Refusal[];
}

/** Details are OpenSSL's words and our own: there are not many. */
const causesMax = 32;

export class Refusals {
  readonly #byReason = new Map<RefusalReason, Refused>();

  note(reason: RefusalReason, atUs: number, { address, user = '', detail = '' }: LastRefused): void {
    const { count = 0, causes = [] } = this.#byReason.get(reason) ?? {};
    const last = { atUs, address, user, detail };
    const same = causes.find((one) => one.detail === detail);
    const others = causes.filter((one) => one !== same).slice(1 - causesMax);
    this.#byReason.set(reason, {
      ...last,
      reason,
      count: count + 1,
      causes: [...others, { ...last, count: (same?.count ?? 0) + 1 }],
    });
  }

  /** Those that there were, in the order of `refusalReasons`. */
  all(): Refused[] {
    return refusalReasons.flatMap((reason) => this.#byReason.get(reason) ?? []);
  }
}
