import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { OPERATIONS } from './operations.js';
import { UsageError } from './usage-error.js';

export const COMMANDS = ['start', 'demo', 'setup', 'help'] as const;
export type Command = (typeof COMMANDS)[number];

export interface StartOptions {
  dataDir: string;
  brokers: 1 | 3;
  /** Ingest listens here, admin-api, delivery, recorder and relay on the next four. */
  portBase: number;
  /** The database is gone, and is to be made anew from the topics. */
  rebuildDatabase: boolean;
}

const LAST_PORT_BASE = 65_531;

/** @throws UsageError that names the argument */
export function parseCommand(args: readonly string[]): { command: Command; options: StartOptions } {
  const { values, positionals } = parse(args);
  const [name = 'help', ...rest] = positionals;
  const command = values.help ? 'help' : COMMANDS.find((known) => known === name);
  if (!command)
    throw new UsageError(`There is no command ${name}: it is one of ${[...COMMANDS, ...OPERATIONS].join(', ')}.`);
  if (rest.length > 0) throw new UsageError(`What is ${rest[0]}? Each command stands alone; see hookline help.`);
  return {
    command,
    options: {
      dataDir: resolve(values.data),
      brokers: brokersOf(values.brokers),
      portBase: portOf(values['port-base']),
      rebuildDatabase: values['rebuild-database'],
    },
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        data: { type: 'string', default: '.hookline' },
        brokers: { type: 'string', default: '1' },
        'port-base': { type: 'string', default: '8080' },
        'rebuild-database': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError(`${(error as Error).message} See hookline help.`);
  }
}

function brokersOf(text: string): 1 | 3 {
  if (text !== '1' && text !== '3') throw new UsageError(`--brokers is 1 or 3, not ${text}.`);
  return text === '1' ? 1 : 3;
}

function portOf(text: string): number {
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > LAST_PORT_BASE)
    throw new UsageError(`--port-base is a port from 1 to ${LAST_PORT_BASE}, not ${text}.`);
  return port;
}
