interface Turn<Class> {
  readonly of: Class;
  readonly weight: number;
  credit: number;
}

/**
 * Whose turn it is among a few classes of work: nginx's smooth weighted round-robin. Each class that has something is
 * given its weight, the one with the most credit is served and pays what all were given together, so that a class of
 * weight 1 beside one of 16 comes at every 17th turn and not 16 turns in a row after each other.
 *
 * A class that has nothing gets no credit and keeps neither credit nor debt, so that none comes back with a burst.
 */
export class WeightedTurns<Class extends string> {
  private readonly turns: readonly Turn<Class>[];

  /** @param weights whole numbers from 1; where credits are equal the class that is named first is served first */
  constructor(weights: Record<Class, number>) {
    this.turns = (Object.keys(weights) as Class[]).map((of) => ({ of, weight: weights[of], credit: 0 }));
  }

  /** The class to serve now, of those that have something; none if none has. */
  next(has: (c: Class) => boolean): Class | undefined {
    let best: Turn<Class> | undefined;
    let given = 0;
    for (const turn of this.turns) {
      if (!has(turn.of)) {
        turn.credit = 0;
        continue;
      }
      turn.credit += turn.weight;
      given += turn.weight;
      if (best === undefined || turn.credit > best.credit) best = turn;
    }
    if (best !== undefined) best.credit -= given;
    return best?.of;
  }
}
