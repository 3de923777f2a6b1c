/**
 * host:port, as settings, configs, tokens and commands have it: `127.0.0.1:2575`, `[2001:db8::1]:2575`,
 * `ehr_1.example.org:2575`. Host names may hold an underscore: no name of the Internet does, many in hospitals do.
 */
import { isIP, isIPv4, isIPv6 } from 'node:net';

export interface Address {
  /** A name or an IP address, without brackets. */
  host: string;
  /** 0: any that is free; only for what listens. */
  port: number;
}

/** Undefined where the text is no host:port. */
export function readAddress(text: string): Address | undefined {
  const [, bracketed, host = bracketed, port] =
    /^(?:\[([^\]\s]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(text) ?? [];
  if (host === undefined || Number(port) > 65_535) return undefined;
  if (bracketed !== undefined && !isIPv6(bracketed)) return undefined;
  return { host, port: Number(port) };
}

/** `10.1.1.300`: no address, and a host name it is not either. */
export function isFigures(host: string): boolean {
  return /^[\d.]+$/.test(host) && !isIPv4(host);
}

/** Of what was checked before. */
export function addressOf(text: string): Address {
  const found = readAddress(text);
  if (found === undefined) throw new RangeError('not host:port');
  return found;
}

export function writeAddress({ host, port }: Address): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** For TLS: an IP address is no server name [RFC 6066, 3]. */
export function serverNameOf(host: string): string {
  return isIP(host) === 0 ? host : '';
}
