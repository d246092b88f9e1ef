import { setTimeout as pause } from 'node:timers/promises';
import type { HooklineApi } from '@hookline/testing';

const EVERY_MS = 250;
const CALL_MS = 15_000;

/** Someone who makes subscriptions all the while, for events that never come: each that was acknowledged is to stay. */
export class Manager {
  /** The ids of those that were acknowledged. */
  readonly acknowledged: string[] = [];
  refusals = 0;
  outstanding = 0;
  private stopping = false;
  private readonly working: Promise<void>;

  constructor(
    private readonly api: HooklineApi,
    private readonly url: string,
  ) {
    this.working = this.work();
  }

  stop(): Promise<void> {
    this.stopping = true;
    return this.working;
  }

  /** Of what was acknowledged, what is not there. */
  async missing(): Promise<string[]> {
    const found = await Promise.all(
      this.acknowledged.map(async (id) => {
        const there = await this.api.admin('GET', `/v1/webhooks/subscriptions/${id}`).then(
          () => true,
          () => false,
        );
        return there ? [] : [id];
      }),
    );
    return found.flat();
  }

  private async work(): Promise<void> {
    while (!this.stopping) {
      this.outstanding += 1;
      const late = pause(CALL_MS, undefined, { ref: false });
      const made = await Promise.race([this.make(), late]);
      this.outstanding -= 1;
      if (made) this.acknowledged.push(made);
      else this.refusals += 1;
      await pause(EVERY_MS);
    }
  }

  private make(): Promise<string | undefined> {
    return this.api.subscribe({ url: `${this.url}never`, types: ['never.comes'] }).then(
      ({ id }) => id,
      () => undefined,
    );
  }
}
