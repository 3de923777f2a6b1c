import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { normalizeHl7v2 } from '../../gateway/normalize/hl7v2/index.ts';
import { testContext } from './context.ts';
const root='../shared/corpus/';
const tally:Record<string,number>={}; const rem:Record<string,number>={};
for (const dir of ['pairs','hl7v2']) for (const e of readdirSync(root+dir,{recursive:true,withFileTypes:true})) {
  if(!e.isFile()||!/\.(hl7|txt|hl7v2|HL7)$/.test(e.name)) continue;
  const {events,reject}=normalizeHl7v2(readFileSync(join(e.parentPath,e.name)),testContext());
  const k=dir+' '+(reject?.code??'events'); tally[k]=(tally[k]??0)+1;
  if(dir==='pairs'&&reject) console.log(e.name,reject.code,reject.reason);
  for(const ev of events) for(const r of ev.provenance!.remarks) rem[r]=(rem[r]??0)+1;
}
console.log(tally, rem);
