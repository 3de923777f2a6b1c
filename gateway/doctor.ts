/**
 * `hilum-gateway doctor`: looks for what is wrong and says what to do. Each check is one line;
 * the way to the control plane is told apart: not resolved, blocked, refused by the proxy,
 * intercepted (another CA answers), reachable.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { lookup } from 'node:dns/promises';
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { addressOf } from '../proto/address.ts';
import { checkDisk } from './doctor-disk.ts';
import { checkRunning } from './doctor-running.ts';
import { checkKey, checkListeners, checkSettingsRun, checkStatusPage } from './doctor-start.ts';
import { codeOf, exitCode, HilumError, messageOf } from './process/errors.ts';
import { type Form, printRows } from './process/output.ts';
import { ownerOf } from './process/owner.ts';
import { mayLookInto, userName, visible } from './process/storage.ts';
import type { RunningStatus } from './running-status.ts';
import { type LoadedSettings, loadSettings } from './settings.ts';
import { readStatus } from './status-command.ts';
import { type ConnectProxy, parseProxy } from './uplink/channel.ts';
import { parseToken, presentedChain } from './uplink/enroll.ts';
import { loadIdentity } from './uplink/identity.ts';
import { openTunnel, ProxyRefused, ProxyUnreachable } from './uplink/tunnel.ts';

export interface Finding {
  check: string;
  state: 'ok' | 'warn' | 'fail';
  code: string;
  message: string;
  /** What to do next; empty when all is well. */
  todo: string;
}

export interface DoctorOptions {
  data: string;
  settings?: string;
  output: Form;
  token?: string;
}

/** It renews with 13 days left, and tries again each hour. */
const certificateWarnDays = 12;
const dayMs = 86_400_000;

/** Prints the findings; 0 when nothing fails, 1 otherwise. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const token =
    options.token === undefined
      ? undefined
      : parseToken(options.token === '-' ? readFileSync(0, 'utf8') : options.token);
  const findings: Finding[] = [];
  const add = (check: string, state: Finding['state'], code: string, message: string, todo = '') => {
    findings.push({ check, state, code, message, todo });
  };
  let loaded: LoadedSettings | undefined;
  try {
    mayLookInto(options.data);
  } catch (error) {
    // All else would be told of what this user cannot see.
    if (!(error instanceof HilumError)) throw error;
    add('data', 'fail', error.code, error.message, error.hint);
    print(findings, options.output);
    return exitCode.failed;
  }
  try {
    loaded = loadSettings(options.data, options.settings);
    add('settings', 'ok', 'settings-ok', loaded.file === '' ? 'built-in defaults' : loaded.file);
  } catch (error) {
    const hint = error instanceof HilumError ? error.hint : '';
    add('settings', 'fail', codeOf(error) || 'settings-bad', messageOf(error), hint);
  }
  checkDirectory(options.data, add);
  const status = await statusOf(options.data, add);
  if (isDirectory(options.data)) checkDisk(options.data, loaded?.settings, status, add);
  const identity = checkIdentity(options.data, add);
  if (loaded !== undefined) {
    if (status !== undefined) checkSettingsRun(loaded, status.settings, add);
    await checkKey(options.data, loaded, status !== undefined, add);
    checkStatusPage(loaded, add);
    await checkListeners(options.data, loaded, status !== undefined, add);
  }
  if (status !== undefined) checkRunning(status, identity, add);
  else if (!findings.some(({ code }) => code === 'not-answering')) {
    // Asked with a token, it is about the way before there is a gateway.
    add(
      'gateway',
      token === undefined ? 'fail' : 'warn',
      'not-running',
      'no gateway runs on this data directory',
      `systemctl start hilum-gateway, or: hilum-gateway run --data ${options.data}`,
    );
  }
  const proxy = proxyOf(loaded, add);
  const address = loaded?.settings.uplink.address ?? identity?.address ?? token?.address;
  if (address === undefined) {
    add(
      'control plane',
      'warn',
      'no-address',
      'no control plane is known',
      'Enroll, or test the way to it with a token: doctor --token - < token',
    );
  } else {
    const pin = identity === undefined ? token?.caPin : fingerprint(identity.caPem);
    findings.push(await checkWay(address, proxy, pin, identity !== undefined));
  }
  print(findings, options.output);
  return findings.some(({ state }) => state === 'fail') ? exitCode.failed : exitCode.done;
}

export type Add = (
  check: string,
  state: Finding['state'],
  code: string,
  message: string,
  todo?: string,
) => void;

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function checkDirectory(directory: string, add: Add): void {
  if (!existsSync(directory)) {
    add('data', 'warn', 'data-missing', `${directory} does not exist yet`, 'It is made by enroll or run.');
    return;
  }
  if (!isDirectory(directory)) {
    add('data', 'fail', 'data-no-directory', `${directory} is no directory`, 'Check --data.');
    return;
  }
  try {
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const readOnly = codeOf(error) === 'EROFS';
    add(
      'data',
      'fail',
      'data-not-writable',
      `${directory} cannot be written${readOnly ? ': its volume is mounted read-only' : ''}`,
      readOnly
        ? 'Mount it for writing; where the system made it read-only by itself, its disk fails (dmesg).'
        : 'Give it to the user that the gateway runs as.',
    );
  }
  tellForeignFiles(directory, add);
}

/** What a command of another user left: the user of the service cannot read it. */
function tellForeignFiles(directory: string, add: Add): void {
  const owner = statSync(directory).uid;
  for (const name of ['key', 'identity.json', 'journal', join('journal', 'data.mdb')]) {
    const file = join(directory, name);
    const user = visible(file)?.uid ?? owner;
    if (user === owner) continue;
    const message = `${file} belongs to the user ${userName(user)}, and ${directory} to ${userName(owner)}`;
    const todo = `Give it to the owner of the directory: chown -R --reference=${directory} ${file}`;
    add('data', 'fail', 'data-of-another', message, todo);
  }
}

/** What the gateway that runs here says of itself; undefined where none does. */
async function statusOf(directory: string, add: Add): Promise<RunningStatus | undefined> {
  try {
    return await readStatus(directory);
  } catch {
    const owner = existsSync(directory) ? await ownerOf(directory) : undefined;
    if (owner !== undefined) {
      add(
        'gateway',
        'fail',
        'not-answering',
        `${owner} has this data directory and does not answer`,
        'It may be starting; else look at its log, and restart it.',
      );
    }
    return undefined;
  }
}

function proxyOf(loaded: LoadedSettings | undefined, add: Add): ConnectProxy | undefined {
  try {
    return parseProxy(loaded?.settings.uplink.proxy);
  } catch {
    add(
      'proxy',
      'fail',
      'proxy-unreadable',
      'uplink.proxy is not an address',
      'Write http://proxy.hospital.example:3128',
    );
    return undefined;
  }
}

function checkIdentity(directory: string, add: Add): ReturnType<typeof loadIdentity> {
  let identity: ReturnType<typeof loadIdentity>;
  try {
    identity = loadIdentity(directory);
  } catch (error) {
    const todo = error instanceof HilumError ? error.hint : '';
    add('identity', 'fail', codeOf(error), `the identity cannot be read: ${messageOf(error)}`, todo);
    return undefined;
  }
  if (identity === undefined) {
    add(
      'identity',
      'warn',
      'not-enrolled',
      'this gateway is not enrolled: it captures and keeps',
      'Ask the central team for a token; then, with the token on standard input: hilum-gateway enroll --data DIR --token -',
    );
    return undefined;
  }
  const { validFrom, validTo } = new X509Certificate(identity.certificatePem);
  const daysLeft = (Date.parse(validTo) - Date.now()) / dayMs;
  const until = `${identity.gateway}, certificate good for ${Math.floor(daysLeft)} days`;
  if (daysLeft <= 0)
    add(
      'identity',
      'fail',
      'certificate-expired',
      `the certificate ended at ${validTo}, and ${hostClock(Date.now())}`,
      'Is that clock right? Then ask the central team for a new token; then: hilum-gateway enroll --data DIR --replace --token -',
    );
  else if (Date.parse(validFrom) > Date.now())
    add(
      'identity',
      'fail',
      'certificate-not-begun',
      `the certificate begins at ${validFrom}: the clock of the control plane was ahead when it was made, or this one is behind`,
      'Set the clock of this host right; if it is right, ask the central team for a new token; then: hilum-gateway enroll --data DIR --replace --token -',
    );
  else if (daysLeft < certificateWarnDays)
    add('identity', 'warn', 'certificate-expiring', until, 'It renews by itself while the uplink works.');
  else add('identity', 'ok', 'identity-ok', until);
  return identity;
}

/** One finding that tells blocked, intercepted and unresolved apart. */
async function checkWay(
  address: string,
  proxy: ConnectProxy | undefined,
  pin: string | undefined,
  identified: boolean,
): Promise<Finding> {
  const finding = (state: Finding['state'], code: string, message: string, todo = ''): Finding => ({
    check: 'control plane',
    state,
    code,
    message,
    todo,
  });
  const { host } = addressOf(proxy?.address ?? address);
  const what = proxy === undefined ? 'the control plane' : 'the proxy';
  if (isIP(host) === 0) {
    try {
      await lookup(host);
    } catch {
      return finding(
        'fail',
        'unresolved',
        `the name ${host} of ${what} is not resolved`,
        'Check DNS on this host, or write an address.',
      );
    }
  }
  try {
    (await openTunnel(address, proxy)).destroy();
  } catch (error) {
    if (error instanceof ProxyRefused) {
      const todo = proxyTodo(error, proxy?.address ?? '', address);
      return finding(
        'fail',
        'blocked',
        `the proxy does not let us through to ${address}: ${error.message}`,
        todo,
      );
    }
    const place = proxy?.address ?? address;
    // A refused connection reached a host: nothing listens there, or a firewall says no aloud.
    const todo =
      codeOf(error) === 'ECONNREFUSED'
        ? `Is ${what} running, and is ${place} its address and port? Else a firewall rejects it (see the firewall sheet).`
        : `Ask for outbound TCP to ${place} to be allowed (see the firewall sheet).`;
    const who = proxy === undefined ? address : `the proxy ${proxy.address} (uplink.proxy)`;
    const why = codeOf(error) || messageOf(error instanceof ProxyUnreachable ? error.cause : error);
    return finding('fail', 'blocked', `${who} does not answer (${why})`, todo);
  }
  let chain: Buffer[];
  try {
    chain = await presentedChain(address, proxy);
  } catch (error) {
    return finding(
      'fail',
      'no-tls',
      `${address} answers, but not with TLS (${codeOf(error) || 'closed'})`,
      'Check the port; a firewall may cut TLS.',
    );
  }
  if (pin !== undefined && !chain.some((der) => createHash('sha256').update(der).digest('hex') === pin)) {
    return finding(
      'fail',
      'intercepted',
      `${address} presents a certificate that is not from our control plane`,
      identified
        ? 'Something between intercepts TLS (ask for this connection to be exempt from inspection), or uplink.address is another control plane, or its CA was made anew (then: enroll --replace).'
        : 'Something between intercepts TLS (ask for an exemption from inspection), or the token may be of another control plane.',
    );
  }
  const [presented] = chain;
  const clock = presented === undefined ? undefined : wrongClock(new X509Certificate(presented), Date.now());
  if (clock !== undefined) return finding('fail', 'clock-wrong', `${address}: ${clock}`, clockTodo);
  return finding(
    'ok',
    'reachable',
    `${address} is reachable${proxy === undefined ? '' : ' through the proxy'}`,
  );
}

function proxyTodo({ status }: ProxyRefused, proxy: string, address: string): string {
  if (status === 407) return 'Put user:password into uplink.proxy.';
  if (status !== undefined && status >= 500)
    return `The proxy is there and does not get through to ${address}: is the control plane up, and may the proxy connect to it?`;
  const allow = `for CONNECT to ${address} to be allowed.`;
  // What says no in HTTP is a proxy.
  return status === undefined || status === 0
    ? `Is ${proxy} the HTTP proxy? If it is, ask ${allow}`
    : `Ask ${allow}`;
}

const clockTodo =
  'Set the clock of this host right, and let it follow a time server; if it is right, tell the central team.';

/** A certificate that is not good at the time that this host believes in. */
export function wrongClock(
  { validFrom, validTo }: Pick<X509Certificate, 'validFrom' | 'validTo'>,
  nowMs: number,
): string | undefined {
  const now = hostClock(nowMs);
  if (Date.parse(validFrom) > nowMs)
    return `${now}, and the certificate of the control plane begins at ${validFrom}`;
  return Date.parse(validTo) < nowMs
    ? `${now}, and the certificate of the control plane ended at ${validTo}`
    : undefined;
}

function fingerprint(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

function print(findings: Finding[], form: Form): void {
  if (form !== 'table') {
    printRows(form, findings, []);
    return;
  }
  const marks = { ok: 'ok  ', warn: 'note', fail: 'FAIL' };
  for (const { check, state, code, message, todo } of findings) {
    process.stdout.write(
      `${marks[state]}  ${check.padEnd(14)} ${message}${state === 'ok' ? '' : ` [${code}]`}\n`,
    );
    if (todo !== '' && state !== 'ok') process.stdout.write(`      ${''.padEnd(14)} → ${todo}\n`);
  }
}

function hostClock(nowMs: number): string {
  return `the clock of this host says ${new Date(nowMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}
