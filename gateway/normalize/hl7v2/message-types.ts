/** Message type → family, and the types that are not events [HL7 table 0076]. */
import { mergeTriggers } from '../../../proto/merge-triggers.ts';
import { adt, adtMerge } from './adt.ts';
import { deviceKind } from './device.ts';
import type { Family } from './family.ts';
import { charging, finance } from './finance.ts';
import type { MessageType } from './header.ts';
import { mdm } from './mdm.ts';
import type { Message } from './message.ts';
import { orders } from './orders.ts';
import { alarm, device, oru, oul } from './oru.ts';
import { masterFile, problem, ref } from './ref.ts';
import { rx } from './rx.ts';
import { siu } from './siu.ts';
import { vxu } from './vxu.ts';

const families: [Family, string[]][] = [
  [adt, ['ADT']],
  [oru, ['ORU', 'OPU', 'PRU']],
  [oul, ['OUL']],
  [orders, ['ORM', 'OML', 'OMG', 'OMI', 'OMD', 'OMN', 'OMS', 'OMB', 'OPL', 'OMQ']],
  // What became of orders, of blood products too.
  [orders, ['OSU', 'BPS', 'BTS']],
  // Responses carry what was ordered and what became of it.
  [orders, ['BRP', 'BRT', 'ORL', 'ORR', 'ORG', 'ORI', 'ORD', 'ORN', 'ORS', 'ORB', 'OPR']],
  [rx, ['RDE', 'RDS', 'RAS', 'RGV', 'OMP', 'ORP', 'RRA', 'RRD', 'RRE', 'RRG']],
  [mdm, ['MDM']],
  [siu, ['SIU', 'SRM']],
  [vxu, ['VXU']],
  [charging, ['DFT']],
  [finance, ['BAR']],
  [ref, ['REF', 'RRI']],
  [problem, ['PPR', 'PGL', 'PPG', 'PPP']],
  [masterFile, ['MFN']],
];

const byType = new Map(families.flatMap(([family, types]) => types.map((type) => [type, family] as const)));

/** Everything that a person should be able to tell the mapping by. */
export const allFamilies: readonly Family[] = [
  adt,
  adtMerge,
  oru,
  oul,
  device,
  alarm,
  orders,
  rx,
  mdm,
  siu,
  vxu,
  finance,
  ref,
  problem,
  masterFile,
];

const queries = new Set(
  (
    'ACK QBP QCK QCN QCR QRY QSB QSX QVR RSP RTB RDY RDR RER RGR RAR ROR RCI RCL RPI RPL RPR RQA RQC RQI RQP RPA ' +
    'DSR DOC ADR ARD EDR EQQ ERP ERQ SPQ TBR VQQ VXQ VXR VXX MCF MFD MFK MFQ MFR NMQ NMR OSQ OSR ORF SQM SQR SRR ' +
    'SUR TRQ EAR ESR LSR QRF ORA ORX PRR PPV PTR'
  ).split(' '),
);

export function isQuery(type: string): boolean {
  return queries.has(type);
}

export function familyOf({ type, trigger }: MessageType, message: Message): Family | undefined {
  const family = byType.get(type);
  if (family === adt && mergeTriggers.has(trigger)) return adtMerge;
  if (family !== oru) return family;
  const kind = deviceKind(message, trigger);
  return kind === 'alarm' ? alarm : kind === 'device' ? device : oru;
}
