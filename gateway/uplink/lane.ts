import { type Class, classes } from '../../proto/config/event-words.ts';

/** A priority class's queue on the wire, most urgent first. */
export type Lane = Class;
export const laneNames = classes;
