/** admin create | list | revoke: people, each with an identity of their own. */
import { existsSync, rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';
import { exitCode, HilumError } from '../../gateway/process/errors.ts';
import { writePrivate } from '../../gateway/process/keys.ts';
import { type Form, field, filled, out, printRows, time } from '../../gateway/process/output.ts';
import { storageError } from '../../gateway/process/storage.ts';
import { AdminIdentity } from '../../proto/gen/hilum/v1/admin.ts';
import { call } from './client.ts';
import { output, withConnection } from './options.ts';

/** What a context takes on the disk, and some more. */
const contextBytes = 16 * 1024;

export function addAdminCommands(program: Command): void {
  const admin = program
    .command('admin')
    .description('people who ask and tell the control plane; their name stands in the audit trail')
    .addHelpText('after', '\nExample:\n  hilumctl admin create ann --out ann.json');
  for (const add of [addCreate, addList, addRevoke]) add(admin);
}

function addCreate(admin: Command): void {
  admin
    .command('create')
    .description('write a context file for a person')
    .argument('<name>', 'as the audit trail is to have it')
    .requiredOption('--out <file>', 'where it is written, readable for its owner alone')
    .option('--read-only', 'may ask, and change nothing, nor see the bytes of messages')
    .addHelpText(
      'after',
      `
It holds a private key: hand it over as you would a password. An identity is good for a year; make it again then.

Example:
  hilumctl admin create ann --out ann.json
  hilumctl --context ann.json gateways`,
    )
    .action(async (name: string, options: { out: string; readOnly?: boolean }, command: Command) => {
      await withConnection(command, async (connection) => {
        const request = { name, readOnly: options.readOnly === true };
        if (existsSync(options.out)) {
          throw new HilumError('usage', `${options.out} is there already.`, {
            hint: 'Name another file, or move it away.',
            exit: exitCode.usage,
          });
        }
        if (!existsSync(dirname(resolve(options.out)))) {
          throw new HilumError('usage', `The folder of ${options.out} is not there.`, {
            hint: 'Make it first, or name a file in another one.',
            exit: exitCode.usage,
          });
        }
        // That it can be written, whole, is found out before there is an identity that nobody has.
        write(options.out, Buffer.alloc(contextBytes));
        write(options.out, '');
        let made = false;
        try {
          const { client } = connection;
          const { address, caPem, certPem, keyPem } = await call(connection, client.createAdmin, request);
          made = true;
          const context = { address, caPem, certPem, keyPem };
          write(options.out, `${JSON.stringify(context, null, 2)}\n`);
        } catch (error) {
          rmSync(options.out, { force: true });
          if (made)
            process.stderr.write(
              `The identity of ${name} was made, and nobody has it: hilumctl admin list, and admin revoke.\n`,
            );
          throw error;
        }
        out(`${options.out} is the context of ${name}.\n`);
      });
    });
}

function addList(admin: Command): void {
  admin
    .command('list')
    .description('whose identity is good')
    .addOption(output())
    .addHelpText('after', '\nExample:\n  hilumctl admin list')
    .action(async (options: { output: Form }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { admins } = await call(connection, connection.client.listAdmins, {});
        printRows(
          options.output,
          admins.map((one) =>
            filled(AdminIdentity.toJSON(one) as object, { name: '', readOnly: false, issuedAtUs: '0' }),
          ),
          [
            field('NAME', 'name'),
            { title: 'MAY', value: (row) => (row.readOnly === true ? 'read' : 'all') },
            { title: 'ISSUED', value: (row) => time(row.issuedAtUs) },
            { title: 'EXPIRES', value: (row) => time(row.expiresAtUs) },
            field('SERIAL', 'serial'),
          ],
        );
      });
    });
}

function addRevoke(admin: Command): void {
  admin
    .command('revoke')
    .description('refuse every identity of this name from now on')
    .argument('<name>', 'as "admin list" shows it')
    .requiredOption('--reason <text>', 'for the audit trail')
    .addHelpText(
      'after',
      `
The last identity that is not read-only stays: make another one first. The control plane makes DIR/admin.json anew at its
next start where "admin" was revoked.

Example:
  hilumctl admin revoke ann --reason "left the team"`,
    )
    .action(async (name: string, options: { reason: string }, command: Command) => {
      await withConnection(command, async (connection) => {
        const { revoked } = await call(connection, connection.client.revokeAdmin, {
          name,
          reason: options.reason,
        });
        out(`Revoked ${name}: ${revoked} ${revoked === 1 ? 'identity' : 'identities'}.\n`);
      });
    });
}

function write(file: string, content: string | Uint8Array): void {
  try {
    writePrivate(file, content);
  } catch (cause) {
    throw storageError(`The context file ${file} cannot be written`, cause, '--out');
  }
}
