/** Was it taken back? Such an order or result still comes as an event, and its content counts no more. */
export function isWithdrawn(status: string): boolean {
  return status === 'cancelled' || status === 'entered-in-error';
}
