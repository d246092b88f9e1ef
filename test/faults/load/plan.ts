export const TYPES = {
  common: 'load.common',
  rare: 'load.rare',
  doomed: 'load.doomed',
  slow: 'load.slow',
  hello: 'hello',
} as const;

const KEYS_OF_EACH = 8;
/** One in so many is for an endpoint that takes long to answer: a few of them are always under way. */
const SLOW_EACH = 200;
const PAD = 'x'.repeat(200);

/** An event that is to be published. */
export interface Planned {
  id: string;
  type: string;
  key?: string;
  data: object;
  /** When it was first published, ms since the epoch. */
  at: number;
  /** The event of the same key that was published before this one. */
  before?: string;
}

/** What publishers publish: of the twenty in turn, fifteen are common, four rare, one is doomed; half have a key. */
export class Plan {
  private readonly events = new Map<string, Planned>();
  private readonly lastOf = new Map<string, string>();
  private next = 0;

  constructor(private readonly run: string) {}

  /** @param publisher who alone publishes the keys that it gets, one after another */
  take(publisher: number): Planned {
    const n = this.next++;
    const turn = n % 20;
    const type = n % SLOW_EACH === 10 ? TYPES.slow : turn < 15 ? TYPES.common : turn < 19 ? TYPES.rare : TYPES.doomed;
    const event: Planned = { id: `${this.run}-${n}`, type, data: { n, pad: PAD }, at: Date.now() };
    if (n % 2 === 0) {
      event.key = `${this.run}-k${publisher}.${(n / 2) % KEYS_OF_EACH}`;
      const before = this.lastOf.get(event.key);
      if (before !== undefined) event.before = before;
      this.lastOf.set(event.key, event.id);
    }
    this.events.set(event.id, event);
    return event;
  }

  get(id: string): Planned | undefined {
    return this.events.get(id);
  }
}
