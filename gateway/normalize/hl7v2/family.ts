/** A family of messages: what it is called, which segments it reads, and how its events end. */
import type { ClinicalEvent, Observation } from '../../../proto/gen/hilum/v1/event.ts';
import type { Draft } from './draft.ts';
import type { Segment } from './message.ts';

export interface Family {
  name: string;
  kind: string;
  /** Segments that open an event of their own; without them the message is one event. */
  opens: ReadonlySet<string>;
  /** What its messages are about. One without any of these tells of a patient at most, which is remarked. */
  about?: readonly string[];
  segments: ReadonlyMap<string, Handler>;
  /** Before any segment: bodies that the trigger event alone says. */
  begin?(draft: Draft): void;
  /** After the last segment: the rows of each event that one group is, where it may be several. */
  apart?(event: ClinicalEvent): readonly (readonly Observation[])[];
  /** Then: status and times. */
  finish?(event: ClinicalEvent, draft: Draft): void;
}

export type Handler = (draft: Draft, segment: Segment) => void;

/** The handlers of several groups of segments as one map. */
export function handlers(...groups: Record<string, Handler>[]): ReadonlyMap<string, Handler> {
  return new Map(groups.flatMap((group) => Object.entries(group)));
}
