/** What the rows read of a gateway’s status; counts are as numbers here. */
export interface Status {
  readonly ready: boolean;
  readonly uplink: { readonly state: string; readonly reason: string; readonly connects: number };
  readonly listeners: readonly { readonly name: string; readonly address: string }[];
  readonly journal: { readonly state: string; readonly recoveredMs: number };
  readonly custody: readonly {
    readonly source: string;
    readonly accepted: number;
    readonly pending: number;
    readonly delivered: number;
    readonly quarantined: number;
    readonly duplicates: number;
    readonly missing: number;
  }[];
  readonly destinations: readonly { readonly pending: number }[];
  readonly alarms: readonly { readonly code: string }[];
  readonly circuits: readonly { readonly source: string; readonly state: string }[];
  readonly latency: readonly { readonly class: string; readonly hop: string; readonly count: number }[];
}
