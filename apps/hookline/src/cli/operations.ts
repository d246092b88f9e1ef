import { parseArgs, type ParseArgsConfig } from 'node:util';
import { UsageError } from './usage-error.js';

/** What works on a Hookline that is there, with its settings from the environment; each has options of its own. */
export const OPERATIONS = ['grow-events', 'rebuild-database', 'reconcile', 'redrive-source', 'outbox-schema'] as const;
export type Operation = (typeof OPERATIONS)[number];

export function isOperation(name: string | undefined): name is Operation {
  return OPERATIONS.some((known) => known === name);
}

/** Runs it. @returns the exit code @throws UsageError, and what the operation throws */
export async function operate(name: Operation, args: readonly string[]): Promise<number> {
  switch (name) {
    case 'grow-events': {
      const { partitions, yes } = parse(args, { partitions: { type: 'string' }, yes: { type: 'boolean' } });
      return (await import('../commands/grow-events.js')).growEvents(countOf(partitions), yes === true, process.env);
    }
    case 'rebuild-database': {
      const { yes } = parse(args, { yes: { type: 'boolean' } });
      return (await import('../commands/rebuild-database.js')).rebuildDatabase(yes === true, process.env);
    }
    case 'reconcile': {
      const { parseReconcile, RECONCILE_OPTIONS } = await import('./reconcile-arguments.js');
      const options = parseReconcile(parse(args, RECONCILE_OPTIONS));
      return (await import('../commands/reconcile.js')).reconcile(options, process.env);
    }
    case 'outbox-schema':
      parse(args, {});
      return (await import('../commands/outbox-schema.js')).printOutboxSchema(process.env);
    case 'redrive-source': {
      const { source, origin } = parse(args, {
        source: { type: 'string' },
        origin: { type: 'string', multiple: true },
      });
      if (source === undefined) throw new UsageError('--source is missing: the name of the source.');
      return (await import('../commands/redrive-source.js')).redriveSource(source, originsOf(origin), process.env);
    }
  }
}

function parse<const O extends NonNullable<ParseArgsConfig['options']>>(args: readonly string[], options: O) {
  try {
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message} See hookline help.`);
  }
}

const MOST_PARTITIONS = 1_000;

function countOf(text: string | undefined): number {
  const count = Number(text);
  if (!/^\d+$/.test(text ?? '') || count < 1 || count > MOST_PARTITIONS)
    throw new UsageError(`--partitions is a number from 1 to ${MOST_PARTITIONS}, not ${text ?? 'missing'}.`);
  return count;
}

function originsOf(texts: readonly string[] = []): readonly string[] {
  const wrong = texts.find((text) => !/^[A-Za-z0-9._-]+:\d+:\d+$/.test(text));
  if (wrong !== undefined) throw new UsageError(`--origin is topic:partition:offset, not ${wrong}.`);
  return texts;
}
