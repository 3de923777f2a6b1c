/**
 * The uplink as whoever this gateway is: none before it is enrolled, another one when its certificate was renewed or
 * it is enrolled as another gateway. Records that are normalized from then on carry the new name.
 */
import { createHash } from 'node:crypto';
import type { ConfigReport } from '../proto/gen/hilum/v1/session.ts';
import { watchIdentity } from './identity-watch.ts';
import { nowUs } from './process/clock.ts';
import { codeOf } from './process/errors.ts';
import { errorWord, type Log } from './process/log.ts';
import type { Settings } from './settings.ts';
import { parseProxy } from './uplink/channel.ts';
import { type Identity, loadIdentity, saveIdentity } from './uplink/identity.ts';
import type { Outbox, UplinkHooks, UplinkOptions, UplinkState } from './uplink/options.ts';
import { renewWhenDue } from './uplink/renew.ts';
import type { ReportQueue } from './uplink/reports.ts';
import { Uplink } from './uplink/uplink.ts';

export interface IdentifiedUplinkOptions extends Pick<UplinkOptions, 'version' | 'mappingVersion' | 'lanes'> {
  directory: string;
  settings: Settings['uplink'];
  outbox: Outbox;
  reports: ReportQueue;
  log: Log;
}

export interface IdentifiedUplinkHooks extends Omit<UplinkHooks, 'nowUs' | 'random' | 'log'> {
  /** From here on it is this gateway. */
  onIdentity(identity: { gateway: string; site: string }): void;
}

const renewCheckMs = 3_600_000;
/** For the Goodbye of the one before. */
const changeMs = 1_000;

export class IdentifiedUplink {
  readonly #options: IdentifiedUplinkOptions;
  readonly #hooks: IdentifiedUplinkHooks;
  #identity: Identity | undefined;
  #uplink: Uplink | undefined;
  #frozen = false;
  #renewTimer: NodeJS.Timeout | undefined;
  #identityTimer: NodeJS.Timeout | undefined;

  constructor(options: IdentifiedUplinkOptions, hooks: IdentifiedUplinkHooks) {
    this.#options = options;
    this.#hooks = hooks;
    this.#identity = this.#load();
  }

  /** One that cannot be used costs the uplink alone: what senders bring is kept meanwhile. */
  #load(): Identity | undefined {
    try {
      return loadIdentity(this.#options.directory);
    } catch (error) {
      this.#hooks.onAlarm('identity-unreadable', { error: codeOf(error) });
      return undefined;
    }
  }

  /** Undefined while it is not enrolled. */
  get identity(): { gateway: string; site: string } | undefined {
    return this.#identity;
  }

  /** Who gives this gateway its configs: its control plane, by its CA, for its site; '' while it is not enrolled. */
  get giver(): string {
    if (this.#identity === undefined) return '';
    const { caPem, site } = this.#identity;
    return `${createHash('sha256').update(caPem).digest('hex')} ${site}`;
  }

  /** Of the control plane; '' while it is not known. */
  get address(): string {
    return this.#options.settings.address ?? this.#identity?.address ?? '';
  }

  /** Of the proxy on the way to it; '' where there is none. */
  get proxy(): string {
    return parseProxy(this.#options.settings.proxy)?.address ?? '';
  }

  state(): UplinkState | undefined {
    return this.#uplink?.state();
  }

  /** Returns at once; the control plane need not be there. */
  start(): void {
    const identity = this.#identity;
    if (identity === undefined) return;
    const { outbox, reports, settings, version, mappingVersion, lanes, log } = this.#options;
    this.#uplink = new Uplink(
      outbox,
      reports,
      { identity, address: this.address, proxy: parseProxy(settings.proxy), version, mappingVersion, lanes },
      { ...this.#hooks, nowUs, random: Math.random, log },
    );
    this.#uplink.start();
  }

  /** From here on the certificate is renewed when that is due, and an identity that appears is taken up. */
  watch(): void {
    this.#renewTimer = setInterval(() => void this.#renew(), renewCheckMs);
    this.#renewTimer.unref();
    this.#identityTimer = watchIdentity(this.#options.directory, (identity) => void this.#adopt(identity));
    void this.#renew();
  }

  /** From here on it stays who it is. */
  freeze(): void {
    this.#frozen = true;
    clearInterval(this.#renewTimer);
    clearInterval(this.#identityTimer);
  }

  async stop(deadlineMs: number): Promise<void> {
    this.freeze();
    await this.#uplink?.stop(deadlineMs);
  }

  notify(): void {
    this.#uplink?.notify();
  }

  sendConfigReport(report: ConfigReport): void {
    this.#uplink?.sendConfigReport(report);
  }

  /** At two thirds of its life the certificate is replaced under the old one, and the uplink comes back with it. */
  async #renew(): Promise<void> {
    const identity = this.#identity;
    if (identity === undefined || this.#frozen) return;
    const way = { address: this.address, proxy: parseProxy(this.#options.settings.proxy) };
    try {
      const renewed = await renewWhenDue(identity, way, Date.now());
      if (renewed === undefined) return;
      saveIdentity(this.#options.directory, renewed);
      await this.#adopt(renewed);
      this.#options.log('info', 'certificate-renewed');
    } catch (error) {
      this.#hooks.onAlarm('certificate-renewal-failed', { reason: errorWord(error) });
    }
  }

  /** The uplink comes back as this identity. */
  async #adopt(identity: Identity): Promise<void> {
    if (this.#frozen || identity.certificatePem === this.#identity?.certificatePem) return;
    const { gateway, site } = identity;
    if (gateway !== this.#identity?.gateway)
      this.#options.log('info', 'identity-taken-up', { gateway, site });
    this.#identity = identity;
    this.#hooks.onIdentity({ gateway, site });
    await this.#uplink?.stop(changeMs);
    if (this.#identity === identity && !this.#frozen) this.start();
  }
}
