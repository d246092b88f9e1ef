import { Sealer } from '@hookline/domain';

/** The key that seals every secret of a benchmark; nothing of it outlives the run. */
export const SEALING_KEY = `bench:${Buffer.alloc(32, 7).toString('base64')}`;

export function benchSealer(): Sealer {
  return new Sealer([SEALING_KEY]);
}
