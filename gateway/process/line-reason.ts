/** Why the line to the control plane does not come about, in words that a person can act on. */

/**
 * Of grpc-js's chain of reasons the one that a person can act on (`connect ECONNREFUSED 127.0.0.1:7443`), and
 * OpenSSL's own words as what they mean.
 */
export function plainReason(details: string): string {
  const last = /Last error: (?:\w*Error: )?(.*?)\.? Resolution note:/s.exec(details)?.[1];
  const reason = last === undefined || last === '' ? details : last;
  return /:SSL routines:|wrong version number|packet length too long/.test(reason)
    ? 'what answers there does not speak TLS'
    : reason;
}

/** What to look at first where that says more than that it is unreachable; else undefined. */
export function reasonHint(reason: string, nowMs: number): string | undefined {
  if (!/certificate (is not yet valid|has expired)|CERT_(NOT_YET_VALID|HAS_EXPIRED)/.test(reason))
    return undefined;
  return `Is the clock of this host right? It says ${new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ')} UTC. If it is, the certificate of the other side is out of date.`;
}
