/**
 * A source whose mapping fails record after record.
 *
 * A record whose mapping runs out of its time or memory costs the normalizer a second, which every source waits
 * for. So after a few in a row the circuit of that source opens: its records go to quarantine untried, where
 * they are kept whole and can be replayed, and one at a time is tried after a while. The first that goes
 * through closes it; so does another config. Other sources go on, and nothing is mapped by rules that nobody
 * chose: the built-in mapping in place of the site's own would give other values under the same names.
 *
 *   closed ──failures in a row──► open ──after the pause──► one record tried ──fails──► open, twice the pause
 *      ▲                                                          │
 *      └───────────────────goes through, or another config────────┘
 *
 * A mapping that throws costs nothing but its own record, so every record is tried; after as many in a row
 * the source is shown as `failing`.
 */
import type { MappingCircuit } from '../proto/gen/hilum/v1/session.ts';
import type { JobResult } from './worker-job.ts';

/** Each cost a timeout or a thread. */
const diedInRowMax = 3;
const threwInRowMax = 10;
const pauseMsMin = 15_000;
const pauseMsMax = 480_000;

export type Failure = 'threw' | 'died';

interface Circuit {
  state: 'closed' | 'failing' | 'open';
  /** In a row, whatever the failure; and those of them that cost a thread, in a row. */
  failures: number;
  died: number;
  untried: number;
  sinceUs: number;
  pauseMs: number;
  /** By `elapsedMs`: a step back of the wall clock must not make the pause longer. */
  probeAtMs: number;
}

export interface CircuitHooks {
  /** For what is shown. */
  nowUs(): number;
  /** For the pauses. */
  elapsedMs(): number;
  onChange(source: string, state: 'opened' | 'failing' | 'closed', failures: number): void;
}

export class Circuits {
  readonly #circuits = new Map<string, Circuit>();
  readonly #hooks: CircuitHooks;
  #open = 0;
  #configVersion = 0;

  constructor(hooks: CircuitHooks) {
    this.#hooks = hooks;
  }

  /** Some source's records are not all tried. */
  get anyOpen(): boolean {
    return this.#open > 0;
  }

  /** What is to be done with the next record of the source. */
  next(source: string): 'map' | 'probe' | 'quarantine' {
    const circuit = this.#circuits.get(source);
    if (circuit?.state !== 'open') return 'map';
    const atMs = this.#hooks.elapsedMs();
    if (atMs >= circuit.probeAtMs) {
      // One of which nothing is heard (its thread died of another) does not keep the circuit open for ever.
      circuit.probeAtMs = atMs + circuit.pauseMs;
      return 'probe';
    }
    circuit.untried += 1;
    return 'quarantine';
  }

  /** A record of the source came through the normalizer. */
  ran(source: string, { failed }: Pick<JobResult, 'failed'>): void {
    if (failed === true) this.failed(source, 'threw');
    else if (this.#circuits.size > 0) this.worked(source);
  }

  worked(source: string): void {
    const circuit = this.#circuits.get(source);
    if (circuit === undefined) return;
    this.#circuits.delete(source);
    if (circuit.state === 'open') this.#open -= 1;
    if (circuit.state !== 'closed') this.#hooks.onChange(source, 'closed', circuit.failures);
  }

  failed(source: string, failure: Failure): void {
    const atMs = this.#hooks.elapsedMs();
    const circuit = this.#circuits.get(source) ?? closed(this.#hooks.nowUs());
    this.#circuits.set(source, circuit);
    circuit.failures += 1;
    circuit.died = failure === 'died' ? circuit.died + 1 : 0;
    if (circuit.state === 'open' && failure === 'threw') {
      // It fails still, but holds nobody up.
      circuit.state = 'failing';
      this.#open -= 1;
      this.#hooks.onChange(source, 'failing', circuit.failures);
    } else if (circuit.state === 'open') {
      circuit.pauseMs = Math.min(circuit.pauseMs * 2, pauseMsMax);
      circuit.probeAtMs = atMs + circuit.pauseMs;
    } else if (circuit.died >= diedInRowMax) {
      circuit.state = 'open';
      circuit.probeAtMs = atMs + circuit.pauseMs;
      this.#open += 1;
      this.#hooks.onChange(source, 'opened', circuit.failures);
    } else if (circuit.state === 'closed' && circuit.failures >= threwInRowMax) {
      circuit.state = 'failing';
      this.#hooks.onChange(source, 'failing', circuit.failures);
    }
  }

  /** Another mapping: what the last one did says nothing of it. */
  reset(configVersion: number): void {
    this.#configVersion = configVersion;
    for (const source of [...this.#circuits.keys()]) this.worked(source);
  }

  report(): MappingCircuit[] {
    const [nowUs, atMs] = [this.#hooks.nowUs(), this.#hooks.elapsedMs()];
    return [...this.#circuits]
      .filter(([, { state }]) => state !== 'closed')
      .map(([source, { state, failures, untried, sinceUs, probeAtMs }]) => ({
        source,
        state,
        failures: BigInt(failures),
        untried: BigInt(untried),
        sinceUs: BigInt(sinceUs),
        probeAtUs: BigInt(state === 'open' ? nowUs + Math.round((probeAtMs - atMs) * 1000) : 0),
        configVersion: BigInt(this.#configVersion),
      }));
  }
}

function closed(sinceUs: number): Circuit {
  return {
    state: 'closed',
    failures: 0,
    died: 0,
    untried: 0,
    sinceUs,
    pauseMs: pauseMsMin,
    probeAtMs: 0,
  };
}
