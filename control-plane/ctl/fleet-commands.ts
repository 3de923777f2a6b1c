/** token, gateways, latency, custody, audit: the fleet and what it tells of itself. */
import type { Command } from 'commander';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import {
  type Form,
  field,
  filled,
  out,
  printObject,
  printRows,
  span,
  time,
} from '../../gateway/process/output.ts';
import { printable } from '../../gateway/process/printable.ts';
import {
  CreateTokenResponse,
  CustodyRow,
  Gateway,
  LatencyRow,
  VerifyAuditResponse,
} from '../../proto/gen/hilum/v1/admin.ts';
import { AuditEntry } from '../../proto/gen/hilum/v1/session.ts';
import { call, stream } from './client.ts';
import { checkPlace, output, seconds, wholeNumber, withConnection } from './options.ts';

const ttlSecondsMax = 365 * 86_400;

export function addFleetCommands(program: Command): void {
  for (const add of [addToken, addGateways, addRevoke, addLatency, addCustody, addAudit]) add(program);
}

function addToken(program: Command): void {
  const token = program
    .command('token')
    .description('enrollment tokens')
    .addHelpText('after', '\nExample:\n  hilumctl token create --site north');
  token
    .command('create')
    .description('print one single-use token for a new gateway')
    .requiredOption('--site <name>', 'the site that the gateway stands at')
    .option('--gateway <name>', 'default: made from the site')
    .option('--ttl <time>', 'how long it is good: 90s, 15m, 2h', '15m')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl token create --site north --ttl 15m')
    .action(
      async (options: { site: string; gateway?: string; ttl: string; output: Form }, command: Command) => {
        const ttlSeconds = seconds(options.ttl);
        if (ttlSeconds === undefined) {
          throw new HilumError('usage', `--ttl ${options.ttl}: write a time such as 90s, 15m or 2h.`, {
            exit: exitCode.usage,
          });
        }
        if (ttlSeconds === 0 || ttlSeconds > ttlSecondsMax) {
          throw new HilumError('usage', `--ttl ${options.ttl}: a token is good for 1s to 365d.`, {
            exit: exitCode.usage,
          });
        }
        await withConnection(command, async (connection) => {
          const request = { site: options.site, gateway: options.gateway ?? '', ttlSeconds };
          const response = await call(connection, connection.client.createToken, request);
          // The table form is the bare token, so that it can be piped into enroll.
          printObject(
            options.output,
            CreateTokenResponse.toJSON(response) as object,
            () => `${response.token}\n`,
          );
        });
      },
    );
}

function addGateways(program: Command): void {
  program
    .command('gateways')
    .description('the gateways, whether they are connected, what config they run')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl gateways -o json')
    .action(async (options: { output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { gateways } = await call(connection, connection.client.listGateways, {});
        printRows(
          options.output,
          gateways.map((gateway) =>
            filled(Gateway.toJSON(gateway) as object, {
              gateway: '',
              site: '',
              state: '',
              events: '0',
              missingEvents: '0',
            }),
          ),
          [
            field('GATEWAY', 'gateway'),
            field('SITE', 'site'),
            field('STATE', 'state'),
            field('EVENTS', 'events'),
            field('MISSING', 'missingEvents'),
            field('DESIRED', 'config.desired.version'),
            field('ATTEMPTED', 'config.attempted.version'),
            field('RUNNING', 'config.running.version'),
            { title: 'LAST SEEN', value: (row) => time(row.lastSeenAtUs) },
            field('VERSION', 'version'),
          ],
        );
      });
    });
}

function addRevoke(program: Command): void {
  program
    .command('revoke')
    .description('refuse a gateway from now on and end its stream')
    .argument('<gateway>', 'its name, as "gateways" shows it')
    .requiredOption('--reason <text>', 'for the audit trail')
    .addHelpText('after', '\nExample:\n  hilumctl revoke north-2 --reason "VM was cloned"')
    .action(async (gateway: string, options: { reason: string }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { streamsClosed } = await call(connection, connection.client.revokeGateway, {
          gateway,
          reason: options.reason,
        });
        out(`Revoked ${gateway}; ${streamsClosed} stream${streamsClosed === 1 ? '' : 's'} closed.\n`);
      });
    });
}

function addLatency(program: Command): void {
  program
    .command('latency')
    .description('latency by class and hop, beside the budget')
    .option('--site <name>', 'only of this site')
    .option('--gateway <name>', 'only of this gateway')
    .addOption(output())
    .addHelpText(
      'after',
      `
What a gateway measured in the last seconds before it was killed and had not told is not in it: COUNT is not a count of
messages, which "hilumctl custody" has.

Example:
  hilumctl latency --site north`,
    )
    .action(async (options: { site?: string; gateway?: string; output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const request = { site: options.site ?? '', gateway: options.gateway ?? '' };
        const { rows } = await call(connection, connection.client.latency, request);
        if (rows.length === 0) await checkPlace(connection, options);
        printRows(
          options.output,
          rows.map((row) =>
            filled(LatencyRow.toJSON(row) as object, {
              class: '',
              hop: '',
              count: '0',
              p50Us: '0',
              p90Us: '0',
              p99Us: '0',
              maxUs: '0',
            }),
          ),
          [
            field('CLASS', 'class'),
            field('HOP', 'hop'),
            field('COUNT', 'count'),
            { title: 'P50', value: (row) => span(row.p50Us) },
            { title: 'P90', value: (row) => span(row.p90Us) },
            { title: 'P99', value: (row) => span(row.p99Us) },
            { title: 'MAX', value: (row) => span(row.maxUs) },
            {
              title: 'BUDGET',
              value: (row) => (row.budgetUs === undefined || row.budgetUs === '0' ? '' : span(row.budgetUs)),
            },
          ],
        );
      });
    });
}

function addCustody(program: Command): void {
  program
    .command('custody')
    .description('what became of every record: accepted = pending + delivered + quarantined + expired')
    .option('--site <name>', 'only of this site')
    .option('--gateway <name>', 'only of this gateway')
    .option('--by-hour', 'also a row for each hour of capture (UTC), of the last three days')
    .option('--destinations', 'what became of the messages for destinations at the sites')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl custody -o json')
    .action(
      async (
        options: {
          site?: string;
          gateway?: string;
          byHour?: boolean;
          destinations?: boolean;
          output: Form;
        },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          const request = {
            site: options.site ?? '',
            gateway: options.gateway ?? '',
            byHour: options.byHour === true,
          };
          const { rows } = await call(connection, connection.client.custody, request);
          if (rows.length === 0) await checkPlace(connection, options);
          const destinations = rows.filter(({ destination }) => destination !== '').map(destinationRow);
          const sources = rows.filter(({ destination }) => destination === '').map(sourceRow);
          if (options.destinations === true) {
            printRows(options.output, destinations, destinationColumns);
            return;
          }
          printRows(options.output, sources, options.byHour === true ? hourColumns : custodyColumns);
          if (sources.length === 0)
            process.stderr.write(
              'No gateway has told of a record yet; each tells its counts every two seconds.\n',
            );
          tellElsewhere(rows);
          if (options.output !== 'table' || destinations.length === 0) return;
          out('\n');
          printRows('table', destinations, destinationColumns);
        });
      },
    );
}

function addAudit(program: Command): void {
  const audit = program
    .command('audit')
    .description('the audit trail')
    .addHelpText(
      'after',
      '\nExamples:\n  hilumctl audit list --action config-refused\n  hilumctl audit verify',
    );
  addAuditList(audit);
  addAuditVerify(audit);
}

function addAuditList(audit: Command): void {
  audit
    .command('list')
    .description('who did what, when, why')
    .option('--action <word>', 'only these: config-pushed, enrolled, revoked …')
    .option('--gateway <name>', 'only of this gateway')
    .option('--limit <n>', 'only the newest, so many; 0: all', wholeNumber, 0)
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl audit list --action config-refused')
    .action(
      async (
        options: { action?: string; gateway?: string; limit: number; output: Form },
        command: Command,
      ) => {
        await withConnection(command, async (connection) => {
          const request = {
            after: 0n,
            limit: options.limit,
            action: options.action ?? '',
            gateway: options.gateway ?? '',
          };
          const list = async (asked: typeof request): Promise<AuditEntry[]> => {
            const found: AuditEntry[] = [];
            for await (const entry of stream(connection, connection.client.listAudit(asked)))
              found.push(entry);
            return found;
          };
          const found = await list(request);
          if (found.length === 0) await checkPlace(connection, { gateway: request.gateway });
          if (found.length === 0 && request.action !== '') {
            const others = await list({ ...request, action: '', limit: actionsAmong });
            process.stderr.write(noneOf(request.action, others));
          }
          const entries = found.map((entry) => AuditEntry.toJSON(entry) as object);
          printRows(options.output, entries, [
            field('NO', 'number'),
            { title: 'TIME', value: (row) => time(row.atUs) },
            field('ACTION', 'action'),
            field('OUTCOME', 'outcome'),
            field('ACTOR', 'actor'),
            field('TOLD BY', 'toldBy'),
            field('GATEWAY', 'gateway'),
            field('SUBJECT', 'subject'),
            field('REASON', 'reason'),
          ]);
        });
      },
    );
}

function addAuditVerify(audit: Command): void {
  audit
    .command('verify')
    .description('walk the hash chain; exit 1 and the first bad entry when it is broken')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl audit verify')
    .action(async (options: { output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const verified = await call(connection, connection.client.verifyAudit, {});
        const shape = { intact: false, entries: '0', firstBad: '0', reason: '', head: '' };
        printObject(options.output, filled(VerifyAuditResponse.toJSON(verified) as object, shape), () =>
          verified.intact
            ? `${verified.entries} entries, intact. Head ${verified.head}\n`
            : `BROKEN at entry ${verified.firstBad} of ${verified.entries}: ${verified.reason}\n`,
        );
        if (!verified.intact) process.exitCode = exitCode.failed;
      });
    });
}

/** Of what is delivered, but not stored here. */
function tellElsewhere(rows: readonly CustodyRow[]): void {
  for (const { gateway, source, deliveredElsewhere } of rows) {
    if (deliveredElsewhere === 0n) continue;
    const what = `${gateway} ${source}: ${deliveredElsewhere} of the delivered are at another control plane`;
    process.stderr.write(`${what}, to which this gateway was enrolled before.\n`);
  }
}

const hourUs = 3_600_000_000;

const custodyTerms = [
  'accepted',
  'pending',
  'delivered',
  'quarantined',
  'expired',
  'duplicates',
  'missing',
  'doubled',
] as const;

/** When the gateway counted: one that is not connected has gone on since. */
const asOf = { title: 'AS OF', value: (row: Record<string, unknown>) => time(row.reportedAtUs) };

const custodyColumns = [
  field('GATEWAY', 'gateway'),
  field('SOURCE', 'source'),
  ...custodyTerms.map((name) => field(name.toUpperCase(), name)),
  asOf,
];

/** Hours of capture in UTC; the totals of a source stand before its hours. */
const hourColumns = [
  ...custodyColumns.slice(0, 2),
  {
    title: 'HOUR',
    value: ({ hour }: Record<string, unknown>) =>
      hour === undefined ? 'all' : time(Number(hour) * hourUs).slice(0, 16),
  },
  ...custodyColumns.slice(2),
];

const destinationTerms = ['accepted', 'pending', 'delivered', 'refused'] as const;

const destinationColumns = [
  field('GATEWAY', 'gateway'),
  field('DESTINATION', 'destination'),
  ...destinationTerms.map((name) => field(name.toUpperCase(), name)),
  asOf,
];

/** Counts that are 0 stand there too; units are records. */
function sourceRow(row: CustodyRow): object {
  const zeros = Object.fromEntries(
    [...custodyTerms, 'stored', 'deliveredElsewhere', 'reportedAtUs'].map((name) => [name, '0']),
  );
  return filled(CustodyRow.toJSON(row) as object, { gateway: '', site: '', source: '', ...zeros });
}

/** Units are messages; `refused` are those that the destination did not take. */
function destinationRow(row: CustodyRow): object {
  return {
    gateway: row.gateway,
    site: row.site,
    destination: row.destination,
    accepted: String(row.accepted),
    pending: String(row.pending),
    delivered: String(row.delivered),
    refused: String(row.quarantined),
    reportedAtUs: String(row.reportedAtUs),
  };
}

/** The newest entries, whose actions are told where nothing has the one that was asked for. */
const actionsAmong = 1_000;

function noneOf(action: string, others: readonly AuditEntry[]): string {
  const there = [...new Set(others.map((one) => one.action))].sort().join(', ');
  return `No entry has the action ${printable(action)}; those of the newest ${others.length} are: ${there || 'none'}.\n`;
}
