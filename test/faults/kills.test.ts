/** Daemons that are killed: F1 and F2 in their short mode. */
import { shortRows } from './short.ts';

shortRows('kills');
