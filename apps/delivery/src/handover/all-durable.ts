/**
 * Waits for all of them, also where one has failed: what is still on its way must not be begun a second time.
 * @throws what the first of them rejected with
 */
export async function allDurable(works: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(works);
  const failed = results.find((result) => result.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
