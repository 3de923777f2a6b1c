/** A stream of a verified gateway, from before its Hello to its end. */
import type { Peer } from '../identity/peers.ts';
import { Credit } from './credit.ts';
import type { Line, SessionEnd } from './needs.ts';

export interface Live {
  line: Line;
  gateway: string;
  site: string;
  epoch: bigint;
  ready: boolean;
  /** When it became ready; 0 before. */
  connectedAtUs: bigint;
  end: SessionEnd;
  closed: boolean;
  /** Resolves when it is closed. */
  readonly over: Promise<void>;
  readonly isOver: () => void;
  readonly credit: Credit;
  /** A report was not taken up: none behind it is acknowledged. */
  failed: boolean;
}

export function begin(line: Line, peer: Peer): Live {
  let isOver = () => {};
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  return {
    line,
    gateway: peer.name,
    site: '',
    epoch: 0n,
    ready: false,
    connectedAtUs: 0n,
    end: 'lost',
    closed: false,
    over,
    isOver,
    credit: new Credit(),
    failed: false,
  };
}
