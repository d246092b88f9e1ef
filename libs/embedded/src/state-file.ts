import { existsSync, readFileSync } from 'node:fs';
import { StartError } from './start-error.js';

/**
 * What a file of the data folder holds, as JSON; undefined where it isn't there.
 * @param isWhole whether it has all that it should have
 * @param advice what to do about one that can't be used, as a sentence
 * @throws StartError for one that is cut off or damaged: what would be made in its place wouldn't fit the other files
 */
export function readStateFile<T>(file: string, isWhole: (value: Partial<T>) => boolean, advice: string): T | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const value = parsed(text);
  if (typeof value === 'object' && value !== null && isWhole(value as Partial<T>)) return value as T;
  const what = text.trim() === '' ? 'is empty' : 'is damaged';
  throw new StartError(`${file} ${what}. Nothing was changed. ${advice}`);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
