/** ADT messages and what others say of the same patients. Identifiers are CX as they stand in the field. */
import { er7 } from '../context.ts';

export interface Adt {
  trigger: string;
  /** PID-3, PID-18 */
  ids: string;
  account?: string;
  name?: string;
  birthDate?: string;
  sex?: string;
  /** MRG-1, MRG-3, MRG-5 */
  mrg?: string;
  mrgAccount?: string;
  mrgVisit?: string;
  /** PID-3 of the second patient (A24, A37). */
  other?: string;
  /** PV1 fields, by number; PV1-19 is the visit. */
  visit?: string;
  location?: string;
  class?: string;
  attending?: string;
  admitted?: string;
  discharged?: string;
  /** EVN-2, EVN-3 as HHMM. */
  at?: string;
  planned?: string;
  /** PV1-6 */
  prior?: string;
  /** EVN-6 as HHMM. */
  occurred?: string;
  /** ZBE-2 as HHMM, ZBE-4, ZBE-5, ZBE-6. */
  begun?: string;
  change?: string;
  historic?: string;
  original?: string;
}

const day = '20261123';

export function adt(of: Adt): Buffer {
  const { trigger, ids, at = '0900' } = of;
  const lines = [
    `MSH|^~\\&|ADT|HOSP|||${day}${at}+0100||ADT^${trigger}|${trigger}${at}|P|2.5.1`,
    `EVN|${trigger}|${day}${at}+0100|${time(of.planned)}|||${time(of.occurred)}`,
    `PID|1||${ids}||${of.name ?? ''}||${of.birthDate ?? ''}|${of.sex ?? ''}||||||||||${of.account ?? ''}`,
  ];
  if (of.mrg !== undefined || of.mrgAccount !== undefined || of.mrgVisit !== undefined)
    lines.push(`MRG|${of.mrg ?? ''}||${of.mrgAccount ?? ''}||${of.mrgVisit ?? ''}`);
  if (of.other !== undefined) lines.push(`PID|2||${of.other}`);
  if (of.class !== undefined || of.visit !== undefined || of.location !== undefined) {
    const fields: string[] = [
      'PV1',
      '1',
      of.class ?? 'I',
      of.location ?? '',
      '',
      '',
      of.prior ?? '',
      of.attending ?? '',
    ];
    fields[19] = of.visit ?? '';
    fields[44] = time(of.admitted);
    fields[45] = time(of.discharged);
    lines.push(Array.from(fields, (field) => field ?? '').join('|'));
  }
  if (of.change !== undefined || of.begun !== undefined)
    lines.push(
      `ZBE|M1|${time(of.begun)}||${of.change ?? 'INSERT'}|${of.historic ?? 'N'}|${of.original ?? ''}`,
    );
  return er7(...lines);
}

function time(of: string | undefined): string {
  return of === undefined ? '' : `${day}${of}+0100`;
}

export interface Lab {
  ids: string;
  account?: string;
  name?: string;
  birthDate?: string;
  sex?: string;
  visit?: string;
  filler?: string;
  /** OBR-7, OBR-22 as HHMM. */
  observed?: string;
  status?: string;
  value?: string;
}

export function lab(of: Lab): Buffer {
  const { observed = '1000', status = 'F' } = of;
  return er7(
    `MSH|^~\\&|LAB|HOSP|||${day}1001+0100||ORU^R01|L${observed}|P|2.5.1`,
    `PID|1||${of.ids}||${of.name ?? ''}||${of.birthDate ?? ''}|${of.sex ?? ''}||||||||||${of.account ?? ''}`,
    ...(of.visit === undefined ? [] : [`PV1|1||||||||||||||||||${of.visit}`]),
    `OBR|1||${of.filler ?? 'F1'}|K^Potassium^L|||${day}${observed}+0100|||||||||||||||${day}${observed}+0100||LAB|${status}`,
    `OBX|1|NM|K^^L||${of.value ?? '4.0'}|mmol/L|||||${status}`,
  );
}
