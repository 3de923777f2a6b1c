/**
 * One connection, as the parts of the broker know it, and of aedes's client and packets what they read. The
 * shapes are declared here because aedes has one door (broker.ts).
 */
import type { Socket } from 'node:net';
import type { Access } from './acl.ts';
import type { Answers } from './answers.ts';
import type { Guard } from './guard.ts';
import type { Session } from './sessions.ts';

/** Sizes, bounds and an advice; never a topic. */
export interface Told {
  readonly [field: string]: string | number;
  readonly advice: string;
}

export interface Link {
  client: Client;
  readonly socket: Socket;
  readonly guard: Guard;
  readonly address: string;
  readonly answers: Answers;
  principal: string;
  /** A user of ours, or of a verified certificate; '' while it is not known, never a name that is just claimed. */
  user: string;
  clientId: string;
  connect: ConnectPacket | undefined;
  access: Access | undefined;
  session: Session | undefined;
  resumed: boolean;
  /** Filters that were granted, with their QoS; never kept beyond the connection. */
  readonly subscriptions: Map<string, Granted>;
  /** Why it was closed, where it was not the client's own doing. */
  reason: string | undefined;
  /** What is told of it, where somebody has to do something: the client comes again with the same for ever. */
  told: Told | undefined;
}

export interface Granted {
  readonly levels: readonly string[];
  readonly qos: 0 | 1 | 2;
}

export interface Client {
  /** From CONNECT, or generated where that had none. */
  readonly id: string;
  /** By filter. */
  readonly subscriptions: object;
  close(): void;
}

export interface ConnectPacket {
  clientId: string;
  username?: string;
  password?: Uint8Array;
  clean?: boolean;
  keepalive?: number;
  protocolId?: string;
  protocolVersion?: number;
  will?: { topic: string; payload: string | Uint8Array };
  /** Remaining length of the fixed header. */
  length?: number;
}

export interface PublishPacket {
  topic: string;
  payload: string | Buffer;
  qos: 0 | 1 | 2;
  dup: boolean;
  retain: boolean;
  messageId?: number;
}

/** Answers a hook of aedes: with an error the connection closes and nothing is acknowledged. */
export type Done = (error?: Error | null) => void;
