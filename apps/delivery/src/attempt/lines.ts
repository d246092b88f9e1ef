import { DeficitRoundRobin, WeightedTurns } from '@hookline/domain';
import type { Door } from './door.js';
import type { WorkClass } from './guest.js';
import { weightsOf, type ClassWeights } from './queues.js';

const CLASSES = ['live', 'retry', 'replay'] as const;

/**
 * The doors that have someone waiting and room behind them, while the worker is full: a line for each class of work, served by
 * weights; in it deficit round-robin over the tenants, and for a tenant its doors in turn.
 */
export class Lines {
  private readonly turns: WeightedTurns<WorkClass>;
  private readonly lines: Readonly<Record<WorkClass, DeficitRoundRobin<Door>>>;

  /** @param quantum bytes that a tenant may send in its turn */
  constructor(weights: ClassWeights, quantum: number) {
    this.turns = new WeightedTurns(weightsOf(weights));
    this.lines = {
      live: new DeficitRoundRobin(quantum),
      retry: new DeficitRoundRobin(quantum),
      replay: new DeficitRoundRobin(quantum),
    };
  }

  get isEmpty(): boolean {
    const { live, retry, replay } = this.lines;
    return live.size + retry.size + replay.size === 0;
  }

  /** Whether anybody waits whose work is no replay. */
  get hasLiveOrRetry(): boolean {
    return this.lines.live.size + this.lines.retry.size > 0;
  }

  /** Puts a door into the line of each class that waits at it, unless it stands there. */
  stand(door: Door): void {
    for (const kind of CLASSES) {
      const first = door.inLine[kind] ? undefined : door.peek(kind);
      if (first === undefined) continue;
      door.inLine[kind] = true;
      this.lines[kind].push(door.tenant, door, first.cost);
    }
  }

  /** Whose turn it is: the class, and the door. */
  shift(replaysMayGo: boolean): { of: WorkClass; door: Door } | undefined {
    const of = this.turns.next((one) => this.lines[one].size > 0 && (one !== 'replay' || replaysMayGo));
    const door = of && this.lines[of].shift();
    if (of === undefined || door === undefined) return undefined;
    door.inLine[of] = false;
    return { of, door };
  }
}
