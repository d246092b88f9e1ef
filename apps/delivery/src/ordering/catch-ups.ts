interface CatchUp {
  readonly replayId: string;
  /** ms since the epoch */
  readonly since: number;
}

/** Since when subscriptions catch up, as far as that holds something up here. */
export class CatchUps {
  private readonly byId = new Map<string, CatchUp>();

  /** @returns for how long it has been known that the subscription catches up by this replay, ms */
  takenMs(subscriptionId: string, replayId: string, now: number): number {
    let catchUp = this.byId.get(subscriptionId);
    if (catchUp?.replayId !== replayId) this.byId.set(subscriptionId, (catchUp = { replayId, since: now }));
    return now - catchUp.since;
  }

  ended(subscriptionId: string): void {
    this.byId.delete(subscriptionId);
  }
}
