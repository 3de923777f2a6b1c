/** The way to the control plane as TCP: straight, or through the CONNECT of an HTTP proxy; and what of it is not open. */
import { connect, type Socket } from 'node:net';
import { addressOf } from '../../proto/address.ts';
import { codeOf, messageOf } from '../process/errors.ts';
import type { ConnectProxy } from './channel.ts';

const timeoutMs = 10_000;

/** A TCP connection to the address, through the proxy's CONNECT where there is one. */
export function openTunnel(address: string, proxy: ConnectProxy | undefined): Promise<Socket> {
  const { host, port } = addressOf(proxy?.address ?? address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    let asked = false;
    const timer = setTimeout(() => {
      const seconds = timeoutMs / 1000;
      socket.destroy(
        asked && proxy !== undefined
          ? new ProxySilent(`the proxy ${proxy.address} gave no answer to CONNECT in ${seconds} s`)
          : new Error(`no answer in ${seconds} s`),
      );
    }, timeoutMs);
    const open = () => {
      clearTimeout(timer);
      resolve(socket);
    };
    socket.once('error', (error) => {
      const told = error instanceof ProxyRefused || error instanceof ProxySilent;
      reject(proxy !== undefined && !told ? new ProxyUnreachable(proxy.address, error) : error);
    });
    // Else nobody would hear of it: a promise keeps no process alive.
    socket.once('close', () => {
      clearTimeout(timer);
      if (proxy !== undefined) reject(new ProxyRefused(proxy.address, undefined));
    });
    socket.once('connect', () => {
      if (proxy === undefined) {
        open();
        return;
      }
      asked = true;
      const authorization =
        proxy.credentials === ''
          ? ''
          : `Proxy-Authorization: Basic ${Buffer.from(proxy.credentials).toString('base64')}\r\n`;
      socket.write(`CONNECT ${address} HTTP/1.1\r\nHost: ${address}\r\n${authorization}\r\n`);
      let head = '';
      const read = (chunk: Buffer) => {
        head += chunk.toString('latin1');
        if (!head.includes('\r\n\r\n') && head.length < 16_384) return;
        socket.off('data', read);
        const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(head)?.[1] ?? 0);
        if (status === 200) open();
        else socket.destroy(new ProxyRefused(proxy.address, status));
      };
      socket.on('data', read);
    });
  });
}

/** It takes connections; whether it, or what is behind it, gives no answer, nobody knows. */
class ProxySilent extends Error {}

/** The proxy answered CONNECT with something else than 200, or not at all. */
export class ProxyRefused extends Error {
  /** 0 where it was not HTTP, undefined where it closed the connection without an answer. */
  readonly status: number | undefined;
  constructor(proxy: string, status: number | undefined) {
    const answer = status === 0 ? 'something that is not HTTP' : status;
    super(
      status === undefined
        ? `the proxy ${proxy} closed the connection without an answer to CONNECT`
        : `the proxy ${proxy} answered CONNECT with ${answer}`,
    );
    this.name = 'ProxyRefused';
    this.status = status;
  }
}

/** There is no connection to the proxy, or it broke before the proxy said anything: `cause` and its `code` say why. */
export class ProxyUnreachable extends Error {
  readonly proxy: string;
  readonly code: string;
  constructor(proxy: string, cause: unknown) {
    super(`the proxy ${proxy} cannot be reached: ${messageOf(cause)}`, { cause });
    this.name = 'ProxyUnreachable';
    this.proxy = proxy;
    this.code = codeOf(cause);
  }
}

/**
 * Why a channel did not become ready. grpc-js does not say what became of the proxy, so that is asked once more. A proxy
 * that is silent, or says 502 to 504, is there: what is behind it is not.
 */
export async function whyNoConnection(
  address: string,
  proxy: ConnectProxy | undefined,
): Promise<'no-connection' | 'proxy-refused' | 'proxy-unreachable'> {
  if (proxy === undefined) return 'no-connection';
  try {
    (await openTunnel(address, proxy)).destroy();
    return 'no-connection';
  } catch (error) {
    if (error instanceof ProxyUnreachable) return 'proxy-unreachable';
    const refused = error instanceof ProxyRefused && (error.status ?? 0) < 500;
    return refused ? 'proxy-refused' : 'no-connection';
  }
}
