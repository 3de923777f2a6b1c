/** The way to the control plane as TCP: straight, or through the CONNECT of an HTTP proxy; and what of it is not open. */
import { connect, type Socket } from 'node:net';
import { codeOf, messageOf } from '../process/errors.ts';
import type { ConnectProxy } from './channel.ts';

const timeoutMs = 10_000;

/** A TCP connection to the address, through the proxy's CONNECT where there is one. */
export function openTunnel(address: string, proxy: ConnectProxy | undefined): Promise<Socket> {
  const { host, port } = splitAddress(proxy?.address ?? address);
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs / 1000} s`)));
    socket.once('error', (error) => {
      const ofProxy = proxy !== undefined && !(error instanceof ProxyRefused);
      reject(ofProxy ? new ProxyUnreachable(proxy.address, error) : error);
    });
    socket.once('connect', () => {
      if (proxy === undefined) {
        socket.setTimeout(0);
        resolve(socket);
        return;
      }
      // Else nobody would hear of it: a promise keeps no process alive.
      socket.once('close', () => reject(new ProxyRefused(proxy.address, undefined)));
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
        if (status !== 200) socket.destroy(new ProxyRefused(proxy.address, status));
        else {
          socket.setTimeout(0);
          resolve(socket);
        }
      };
      socket.on('data', read);
    });
  });
}

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

/** Why a channel did not become ready. grpc-js does not say what became of the proxy, so that is asked once more. */
export async function whyNoConnection(
  address: string,
  proxy: ConnectProxy | undefined,
): Promise<'no-connection' | 'proxy-refused' | 'proxy-unreachable'> {
  if (proxy === undefined) return 'no-connection';
  try {
    (await openTunnel(address, proxy)).destroy();
    return 'no-connection';
  } catch (error) {
    return error instanceof ProxyRefused ? 'proxy-refused' : 'proxy-unreachable';
  }
}

export function splitAddress(address: string): { host: string; port: number } {
  const at = address.lastIndexOf(':');
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(address.slice(at + 1)) };
}
