/**
 * Which fields each family reads, taken from the very tables that read them. A test blanks every
 * one of them in turn and wants to see the event change.
 */
import { analyzerTables } from './analyzer.ts';
import { bloodTables } from './blood.ts';
import { al1, dg1, iam, iar, nte, pr1 } from './clinical.ts';
import { drg } from './drg.ts';
import type { Family } from './family.ts';
import { chargeTables } from './finance.ts';
import { msh, sft } from './header.ts';
import { ipc, zds } from './imaging.ts';
import { certified, in1, in2, in3 } from './insurance.ts';
import { documentTables } from './mdm.ts';
import { obr, orc } from './order.ts';
import { arv, db1, disability, mrg, pd1, pid } from './patient.ts';
import { referenceTables } from './ref.ts';
import { con, gt1, nk1 } from './related-persons.ts';
import { err, msa } from './reply.ts';
import { obx } from './result.ts';
import { administeredTables, rxTables, vaccineTables } from './rx-tables.ts';
import { requestTables, scheduleTables } from './siu.ts';
import { sac, spm } from './specimen.ts';
import { supplyTables } from './supplies.ts';
import { tq1, tq2 } from './timing.ts';
import { evn, npu, prt, pv1, pv2, rol, zbe } from './visit.ts';

type AnyTable = readonly (readonly [number, ...unknown[]])[];

/** MSH-7 is a time of the event, MSH-14 and DSC-1 say that the message goes on elsewhere. */
const header = [...msh.map((row) => row[0]), 7, 14, 18].sort((a, b) => a - b);

const tables: Record<string, AnyTable> = {
  EVN: evn,
  NPU: npu,
  ZBE: zbe,
  PID: pid,
  PD1: pd1,
  ARV: arv,
  CON: con,
  DB1: [...db1, ...disability],
  NK1: nk1,
  GT1: gt1,
  MRG: mrg,
  PV1: pv1,
  PV2: pv2,
  PRT: prt,
  ROL: rol,
  AL1: al1,
  IAM: iam,
  IAR: iar,
  DG1: dg1,
  DRG: drg,
  PR1: pr1,
  IN1: in1,
  IN2: in2,
  IN3: [...in3, ...certified],
  NTE: nte,
  ORC: orc,
  OBR: obr,
  OBX: obx,
  IPC: ipc,
  ZDS: zds,
  TQ1: tq1,
  TQ2: tq2,
  SPM: spm,
  SAC: sac,
  MSA: msa,
  ERR: err,
  ...rxTables,
  ...administeredTables,
  ...documentTables,
  ...chargeTables,
  ...bloodTables,
  ...analyzerTables,
  ...supplyTables,
  ...referenceTables,
  ...scheduleTables,
  ...requestTables,
};
const own: Record<string, Record<string, AnyTable>> = {
  vxu: vaccineTables,
};

/** Segment → field numbers, ascending. MSH stands first, and EVN-1 may stand in for MSH-9. */
export function fieldsRead(family: Family): Map<string, number[]> {
  const fields = new Map<string, number[]>([
    ['MSH', header],
    ['SFT', sft.map((row) => row[0])],
  ]);
  for (const segment of family.segments.keys()) {
    const table = own[family.name]?.[segment] ?? tables[segment];
    const numbers = new Set((table ?? []).map((row) => row[0]));
    if (segment === 'OBX') numbers.add(2);
    fields.set(
      segment,
      [...numbers].sort((a, b) => a - b),
    );
  }
  return fields;
}

/** Read to find out what the message or another field is, and not for the event. */
export const fieldsAside: ReadonlySet<string> = new Set([
  'EVN-1', // stands in for MSH-9.2, which wins
  'DSC-1', // the continuation pointer
  'DG1-2', // the coding system, where DG1-3 names none
  'PR1-2',
  'RXA-27', // the place, where RXA-11 names none
  'RGS-2', // the action, where the resources behind it name none
  'DB1-2', // whose the disability is: only the patient's is kept
]);
