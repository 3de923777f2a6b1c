/** Bounds that both ends of the uplink keep. */
export const wireLimits = {
  /** One gRPC message; a batch stays well below. */
  messageBytesMax: 32 * 1024 * 1024,
  /** Events of one lane in one batch. */
  batchEventsMax: 500,
  /** Bytes of one batch, unless a single event is larger. */
  batchBytesMax: 256 * 1024,
  /** What the control plane lets be in flight, per lane: small for bulk, so that a STAT never waits behind it. */
  credit: {
    stat: { events: 4000, bytes: 8 * 1024 * 1024 },
    urgent: { events: 4000, bytes: 8 * 1024 * 1024 },
    routine: { events: 4000, bytes: 4 * 1024 * 1024 },
    bulk: { events: 1000, bytes: 512 * 1024 },
  },
} as const;
