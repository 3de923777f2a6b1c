/** Long reads for someone who may go away meanwhile. */
import { HilumError } from '../../gateway/process/errors.ts';

/** Whether whoever asked has gone. */
export type Gone = () => boolean;

/** @throws HilumError `cancelled`: nobody hears it, and the reading ends. */
export function stillAsked(gone: Gone): void {
  if (gone()) throw new HilumError('cancelled', 'Whoever asked does not wait any more.');
}
