import { ConfigError } from '@hookline/config';
import { StartError } from '@hookline/embedded';
import { Refusal } from '@hookline/platform';
import { parseCommand } from './arguments.js';
import { HELP } from './help.js';
import { isOperation, operate } from './operations.js';
import { UsageError } from './usage-error.js';

/** Runs a command and ends the process: 0 when it did what it was asked to, 2 when that can't be understood, else 1. */
export async function run(args: readonly string[]): Promise<void> {
  // Whoever reads our output may be gone before us, npm for one.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  try {
    process.exit(await dispatch(args));
  } catch (error) {
    process.stderr.write(`${explain(error)}\n`);
    process.exit(error instanceof UsageError ? 2 : 1);
  }
}

async function dispatch(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  if (isOperation(first) && !rest.includes('--help')) return operate(first, rest);
  const { command, options } = parseCommand(args);
  switch (command) {
    case 'start':
      return (await import('../commands/start.js')).start(options);
    case 'demo':
      return (await import('../demo/demo.js')).demo();
    case 'setup':
      return (await import('../commands/setup.js')).setup(process.env);
    case 'help':
      process.stdout.write(HELP);
      return 0;
  }
}

/** What a person can do something about is a sentence; for anything else the stack is of use. */
function explain(error: unknown): string {
  const expected = [StartError, UsageError, ConfigError, Refusal];
  if (expected.some((type) => error instanceof type)) return (error as Error).message;
  if ((error as NodeJS.ErrnoException).code === 'ENOSPC')
    return 'The disk with the data is full: make room, or use another folder (--data).';
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
