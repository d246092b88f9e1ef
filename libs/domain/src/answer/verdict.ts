/**
 * What an endpoint's answer means. `slow-down`: tried again, and says nothing against the endpoint's health; `gone`:
 * nothing is to be sent there any more.
 */
export type Verdict = 'delivered' | 'gone' | 'slow-down' | 'failed';

/**
 * By the status alone; docs/endpoints.md has the table. Redirects are failures since the event would go to an address
 * that nobody has checked or agreed to.
 * @param status undefined if there was no whole answer
 */
export function verdictOf(status: number | undefined): Verdict {
  if (status === undefined) return 'failed';
  if (status >= 200 && status < 300) return 'delivered';
  if (status === 410) return 'gone';
  return status === 429 || status === 503 ? 'slow-down' : 'failed';
}
