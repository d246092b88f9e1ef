import { ProblemError } from '@hookline/platform';

/** A row's version as an entity tag. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Whether a change may be made to this version.
 * @param ifMatch the header as it came; absent: the caller does not mind
 * @throws ProblemError 412 naming the version that is there
 */
export function assertMatches(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined) return;
  const tags = ifMatch.split(',').map((tag) => tag.trim());
  if (tags.includes('*') || tags.includes(etagOf(version))) return;
  throw new ProblemError(412, 'version-mismatch', 'It was changed in the meantime', {
    detail: `If-Match names another version than the current one, ${etagOf(version)}.`,
  });
}

/** What is used of fastify's reply. */
export interface Reply {
  header(name: string, value: string): unknown;
}
