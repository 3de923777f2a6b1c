/**
 * Which fields each family reads, taken from the very tables that read them. A test blanks every
 * one of them in turn and wants to see the event change.
 */
import { analyzerTables } from './analyzer.ts';
import { bloodTables } from './blood.ts';
import { al1, dg1, iam, iar, in1, in2, in3, nte, pr1 } from './clinical.ts';
import { drg } from './drg.ts';
import type { Family } from './family.ts';
import { chargeTables } from './finance.ts';
import { msh } from './header.ts';
import { documentTables } from './mdm.ts';
import { ipc, obr, orc, zds } from './order.ts';
import { arv, con, db1, gt1, mrg, nk1, pd1, pid } from './patient.ts';
import { referenceTables } from './ref.ts';
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
  DB1: db1,
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
  IN3: in3,
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
  const fields = new Map<string, number[]>([['MSH', header]]);
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
