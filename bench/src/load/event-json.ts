/** What an event is called; the rest is the same for all of them. ASCII that needs no escape. */
export interface EventPlan {
  type: string;
  id?: string;
  /** Its ordering key. */
  key?: string;
}

/** Of an event's `data`. */
export const DATA_BYTES = 1_024;
const PAD = 'x'.repeat(DATA_BYTES);

/** An event as ingest takes it, with 1 KB of data. */
export function eventJson({ type, id, key }: EventPlan, n: number): string {
  const names = `${id === undefined ? '' : `"id":"${id}",`}${key === undefined ? '' : `"key":"${key}",`}`;
  const start = `{"n":${n},"pad":"`;
  return `{${names}"type":"${type}","data":${start}${PAD.slice(start.length + 2)}"}}`;
}
