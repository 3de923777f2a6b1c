/** What somebody at the site does about a sender that a listener did not take. */
import { type RefusalReason, refusalReasons } from './capture/refusals.ts';

interface Told {
  /** One of a newer gateway has no advice here. */
  reason: string;
  detail: string;
  user: string;
}

/** `name` and `type` are the listener's. */
export function refusalAdvice(name: string, type: string, { reason, detail, user }: Told): string {
  const own = `listeners.${name}`;
  const known = refusalReasons.find((one) => one === reason);
  if (known === undefined) return 'See its line in the log.';
  const advice: Record<RefusalReason, () => string> = {
    tls: () => tlsAdvice(own, detail),
    address: () => `If it may send, add it to ${own}.tls.range in the settings, and restart.`,
    limit: () =>
      `Does the sender close what it opens? If it needs more, raise connectionsMax or connectionsPerAddressMax of ${own}, and restart.`,
    credentials: () =>
      user === ''
        ? `It has to present a user of ${own}.users and its password; "hilum-gateway hash-password" makes the hash.`
        : `Write the right password into the device, or its hash ("hilum-gateway hash-password") into ${own}.users.${user}, and restart.`,
    acl: () =>
      `Add its topic to ${user === 'anonymous' ? `${own}.anonymous` : `${own}.users.${user || 'USER'}`}.publish and restart, or let the device publish to one that is there.`,
    'client-id': () => 'Give each device a client id of its own: two may have the same one.',
    protocol: () => protocolAdvice(own, type === 'mqtt' ? 'MQTT' : 'MLLP', detail),
  };
  return advice[known]();
}

/** By what it spoke instead. */
function protocolAdvice(own: string, protocol: string, detail: string): string {
  if (detail === 'tls')
    return `It speaks TLS where ${protocol} is spoken without: switch TLS off there, or on in ${own}.tls and restart.`;
  if (detail === 'version') return 'It speaks another version of MQTT, perhaps 5: set it to 3.1.1.';
  if (detail === 'http' && protocol === 'MQTT')
    return 'It speaks HTTP: MQTT over WebSocket is not taken, so set it to MQTT over TCP or TLS.';
  return `It does not speak ${protocol === 'MQTT' ? 'MQTT 3.1.1' : protocol} here: is it meant for this port, and is TLS on at both ends or at none?`;
}

/** By OpenSSL's word. */
function tlsAdvice(own: string, detail: string): string {
  if (/DID_NOT_RETURN_A_CERTIFICATE/.test(detail))
    return `It shows no certificate: give it one of an issuer in ${own}.tls.caFile, or take mode: optional.`;
  if (/WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|RECORD_LAYER_FAILURE/.test(detail))
    return `It speaks without TLS: switch TLS on there, or give it a listener with tls.mode none.`;
  if (/ALERT/.test(detail) || detail === 'ECONNRESET')
    return `It went away in the handshake: most likely it does not trust the certificate of ${own}; give it the issuer.`;
  // What Node has no word for, and of that the most likely.
  if (detail === 'UNSPECIFIED')
    return 'Its certificate is most likely too weak: it needs a key of P-256 or RSA 2048, signed with SHA-256 or better.';
  if (/CERT_HAS_EXPIRED|NOT_YET_VALID/.test(detail))
    return 'Its certificate is not good at this time: renew it; or is the clock of this host wrong?';
  if (/SELF_SIGNED|UNABLE_TO|VERIFY/.test(detail))
    return `Its certificate is of an issuer that ${own}.tls.caFile does not have: add the issuer there, then SIGHUP (systemctl reload).`;
  return 'The two have no TLS in common: does it speak TLS 1.2 or 1.3?';
}
