/** Bounds that both ends of the uplink keep. */
export const wireLimits = {
  /** One gRPC message; a batch stays well below. */
  messageBytesMax: 32 * 1024 * 1024,
  /** One event with the bytes of its record: what a message carries beside the few fields around it. */
  eventBytesMax: 32 * 1024 * 1024 - 64 * 1024,
  /** Events of one record: all of them are in the normalizer's memory at once. */
  recordEventsMax: 32_768,
  /** The bytes of a record, as a listener takes them: its first event travels with them. */
  recordBytesMax: 31 * 1024 * 1024,
  /** Events of one lane in one batch. */
  batchEventsMax: 500,
  /** Bytes of one batch, unless a single event is larger. */
  batchBytesMax: 256 * 1024,
  /** A name or an id that a gateway gives (of a source, of an entry): it stands in keys of the control plane's store. */
  nameBytesMax: 256,
  /** SHA-256 of a record in hexadecimal, where it is told as a text. */
  hashCharactersMax: 64,
  /** Sequences of records and of lanes. */
  sequenceMax: 2n ** 44n - 1n,
  /**
   * What a gateway tells beside its events, in one frame: a few kilobytes, or the custody of all hours at its goodbye.
   * Elements are what stands in it, which may be empty and take hundreds of bytes once it is decoded.
   */
  reportBytesMax: 8 * 1024 * 1024,
  reportElementsMax: 100_000,
  /** What the control plane lets be in flight, per lane: small for bulk, so that a STAT never waits behind it. */
  credit: {
    stat: { events: 4000, bytes: 8 * 1024 * 1024 },
    urgent: { events: 4000, bytes: 8 * 1024 * 1024 },
    routine: { events: 4000, bytes: 4 * 1024 * 1024 },
    bulk: { events: 1000, bytes: 512 * 1024 },
  },
} as const;

/** What a gateway does that stands in the audit trail: the actions of the entries that it tells. */
export const gatewayActions: readonly string[] = [
  'config-applied',
  'config-refused',
  'discarded',
  'event-damaged',
  'listener-plain',
  'mapped',
  'mapping-circuit-closed',
  'mapping-circuit-failing',
  'mapping-circuit-opened',
  'replayed',
  'viewed',
];

/** Levels of an MQTT topic: what a listener takes, and what a config may count on. */
export const mqttTopicLevelsMax = 8;

/**
 * The name in the control plane's certificate. Its CA is our own and pinned, and signs this name for
 * nobody else, so a gateway checks the name and not the address that it happens to dial: an address
 * behind NAT or a new DNS name needs no new certificate.
 */
export const controlPlaneName = 'hilum-control-plane';

/** Metadata of a failed call: the exit code of the verb that made it. */
export const exitKey = 'hilum-exit';
