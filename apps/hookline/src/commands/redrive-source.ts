import { redriveCommand } from '../../../relay/src/sources/redrive-command.js';

/**
 * Tries the dead letters of a source again, by its definition as it is now.
 * @param origins only these, as topic:partition:offset; empty: all
 * @returns the exit code: 1 where some of them stay dead letters
 * @throws ConfigError, also when no source has this name
 */
export async function redriveSource(
  source: string,
  origins: readonly string[],
  env: NodeJS.ProcessEnv,
  say: (text: string) => void = (text) => void process.stdout.write(text),
): Promise<number> {
  const { redriven, still } = await redriveCommand(env, source, origins);
  for (const { origin, detail } of still) say(`${origin} stays: ${detail}\n`);
  say(`${redriven.length} of the dead letters of ${source} are events now, ${still.length} stay.\n`);
  return still.length === 0 ? 0 : 1;
}
