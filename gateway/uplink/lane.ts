/** A priority class's queue on the wire, most urgent first. */
export type Lane = 'stat' | 'urgent' | 'routine' | 'bulk';
export const laneNames: readonly Lane[] = ['stat', 'urgent', 'routine', 'bulk'];
