/** Why the line to the control plane, or to a local destination, does not come about, in words that a person can act on. */
import { codeOf, messageOf } from './errors.ts';

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

const tlsReasons: Record<string, string> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'certificate-self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: 'certificate-of-unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT: 'certificate-of-unknown-ca',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'certificate-of-unknown-ca',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'certificate-of-unknown-ca',
  CERT_HAS_EXPIRED: 'certificate-expired',
  CERT_NOT_YET_VALID: 'certificate-not-yet-valid',
  ERR_TLS_CERT_ALTNAME_INVALID: 'certificate-of-another-name',
  ERR_SSL_WRONG_VERSION_NUMBER: 'no-tls',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'no-tls',
};

/** Why TLS to a local destination does not come about, in a word; undefined where it is no matter of TLS. */
export function tlsReason(error: unknown): string | undefined {
  const code = codeOf(error);
  if (tlsReasons[code] !== undefined) return tlsReasons[code];
  // Node has no code for these; the text is OpenSSL's own.
  if (code === 'UNSPECIFIED' && /too weak/.test(messageOf(error))) return 'certificate-too-weak';
  if (/ALERT_(CERTIFICATE_|BAD_CERT|UNSUPPORTED_CERT|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE)/.test(code))
    return 'client-certificate-refused';
  return code === 'EPROTO' || code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_')
    ? 'tls-failed'
    : undefined;
}

/** What to write where; undefined where the reason is no matter of TLS. */
export function tlsHint(reason: string, destination: string): string | undefined {
  const own = `destinations.${destination}.tls`;
  return {
    'certificate-self-signed': `Nobody issued its certificate: name that certificate in ${own}.caFile of the settings.`,
    'certificate-of-unknown-ca': `Name who issued its certificate in ${own}.caFile of the settings.`,
    'certificate-expired':
      'Is the clock of this host right? If it is, the owner of the receiver has to renew.',
    'certificate-not-yet-valid':
      'Is the clock of this host right? If it is, the owner of the receiver has to look at the dates.',
    'certificate-too-weak':
      'Its certificate, or that of its issuer, has a key below RSA 2048 or is signed with SHA-1: the owner of the receiver has to renew.',
    'certificate-of-another-name': `Its certificate has another name than the address in the config: write that name in ${own}.serverName of the settings.`,
    'no-tls': `What answers there does not speak TLS: check destinations.${destination}.address and .tls in the config.`,
    'client-certificate-refused': `It wants a certificate that it knows: name it in ${own}.certFile and .keyFile of the settings. Where it asks for none, the two have no TLS in common: TLS 1.3, or 1.2 with ECDHE and AES-GCM or ChaCha20.`,
    'tls-failed': 'The two have no TLS in common: does it speak TLS 1.2 or 1.3?',
  }[reason];
}
