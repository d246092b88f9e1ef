/**
 * A value in the text format of Prometheus, whatever labels it has.
 * @throws Error where it is not there
 */
export function readMetric(text: string, name: string): number {
  const value = new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)`, 'm').exec(text)?.[1];
  if (value === undefined) throw new Error(`there is no metric ${name}`);
  return Number(value);
}
