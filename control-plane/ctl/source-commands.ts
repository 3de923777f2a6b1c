/** sources: what each gateway says of what sends to it: shares, clock, mapping, criticals, what is said twice. */
import type { Command } from 'commander';
import { clockText, isWrongClock } from '../../gateway/process/clock-text.ts';
import { type Form, field, filled, printRows } from '../../gateway/process/output.ts';
import { SourceRow } from '../../proto/gen/hilum/v1/admin.ts';
import { CriticalTally, MappingCircuit, OnceTally, SourceClock } from '../../proto/gen/hilum/v1/session.ts';
import { call } from './client.ts';
import { checkPlace, output, withConnection } from './options.ts';

export function addSourceCommands(program: Command): void {
  program
    .command('sources')
    .description(
      'what sends to the gateways: shares, clocks beside the gateway, mappings that fail, criticals, repeats',
    )
    .option('--site <name>', 'only of this site')
    .option('--gateway <name>', 'only of this gateway')
    .option('--wrong', 'only those whose clock, time zone or mapping is wrong')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl sources --site north')
    .action(
      async (
        options: { site?: string; gateway?: string; wrong?: boolean; output: Form },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          const request = { site: options.site ?? '', gateway: options.gateway ?? '' };
          const { sources } = await call(connection, connection.client.listSources, request);
          if (sources.length === 0) await checkPlace(connection, options);
          const shown = options.wrong === true ? sources.filter(isWrong) : sources;
          printRows(options.output, shown.map(toRow), [
            field('GATEWAY', 'gateway'),
            field('SOURCE', 'source'),
            field('RECORDS', 'records'),
            field('STAT', 'stat'),
            field('RESULTS', 'results'),
            field('UNFLAGGED', 'unflaggedResults'),
            { title: 'CRITICAL', value: ({ criticals }) => criticalText(criticals as CriticalTally[]) },
            { title: 'ONCE', value: ({ once }) => onceText(once as OnceTally[]) },
            { title: 'MAPPING', value: ({ circuit }) => circuitText(circuit as MappingCircuit | undefined) },
            { title: 'CLOCK', value: (row) => (row.clock === undefined ? '' : String(row.clockText)) },
          ]);
        });
      },
    );
}

function isWrong({ clock, circuit }: SourceRow): boolean {
  return circuit !== undefined || isWrongClock(clock?.verdict ?? '');
}

/** Marked by the rules; a rule that could never be applied is told with its reasons. */
function criticalText(tallies: readonly object[]): string {
  return (tallies as Record<string, string>[])
    .map((one) => {
      const missed = (['otherUnit', 'noValue', 'noAge', 'noSex'] as const)
        .filter((why) => one[why] !== '0')
        .map((why) => `${one[why]} ${words[why]}`);
      return `${one.rule} ${one.marked}${missed.length === 0 ? '' : ` (${missed.join(', ')})`}`;
    })
    .join('; ');
}

/** Repeats are left without an effect; of the others both stay. */
function onceText(tallies: readonly object[]): string {
  return (tallies as Record<string, string>[])
    .map(({ rule, ...one }) => {
      const more = (['effective', 'linked', 'conflicts'] as const).filter((what) => one[what] !== '0');
      const said = more.map((what) => `, ${one[what]} ${what}`).join('');
      return `${rule} ${one.repeats} repeats${said}`;
    })
    .join('; ');
}

const words = { otherUnit: 'other unit', noValue: 'no value', noAge: 'no age', noSex: 'no sex' };

function circuitText(circuit: object | undefined): string {
  if (circuit === undefined) return 'ok';
  const { state, failures, untried } = circuit as Record<string, string>;
  return `${state}, ${failures} failed in a row${untried === '0' ? '' : `, ${untried} untried`}`;
}

function toRow(row: SourceRow): Record<string, unknown> {
  const zeros = { records: '0', stat: '0', results: '0', unflaggedResults: '0', reportedAtUs: '0' };
  const { clock, circuit, criticals, once } = row;
  return {
    ...filled(
      SourceRow.toJSON({ ...row, clock: undefined, circuit: undefined, criticals: [], once: [] }) as object,
      {
        gateway: '',
        site: '',
        source: '',
        ...zeros,
      },
    ),
    ...(clock === undefined ? {} : { clock: clockRow(clock), clockText: clockText(clock) }),
    ...(circuit === undefined ? {} : { circuit: circuitRow(circuit) }),
    criticals: criticals.map((one) =>
      filled(CriticalTally.toJSON(one) as object, {
        ...{ source: '', rule: '', marked: '0', otherUnit: '0', noValue: '0', noAge: '0', noSex: '0' },
      }),
    ),
    once: once.map((one) =>
      filled(OnceTally.toJSON(one) as object, {
        ...{ source: '', rule: '', repeats: '0', effective: '0', linked: '0', conflicts: '0' },
      }),
    ),
  };
}

function clockRow(clock: SourceClock): object {
  return filled(SourceClock.toJSON(clock) as object, {
    ...{ source: '', verdict: '', aheadUs: '0', zoneUs: '0', spreadUs: '0', stepUs: '0' },
    ...{ messages: '0', assumed: '', atUs: '0', limitUs: '0' },
  });
}

function circuitRow(circuit: MappingCircuit): object {
  return filled(MappingCircuit.toJSON(circuit) as object, {
    ...{ source: '', state: '', failures: '0', untried: '0', sinceUs: '0', probeAtUs: '0' },
    configVersion: '0',
  });
}
