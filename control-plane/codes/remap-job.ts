/** What passes between a replay and the thread that maps for it. */
export interface RemapJob {
  id: number;
  yaml: string;
  version: number;
  /** Encoded JournalRecord. */
  record: Uint8Array;
  epoch: bigint;
}

export interface Remapped {
  id: number;
  /** Encoded ClinicalEvents, in the order of the record. */
  events: Uint8Array[];
  lane: string;
  /** The code of a reject; empty where there is none. */
  reject: string;
}
