import { createRequire } from 'node:module';
import { systemClock, type Clock } from '@hookline/platform';

interface Stamped {
  timestamp: string;
}

/** What is used here of a connection to a broker in kafkajs 2.2.4 (`broker`). */
interface BrokerCalls {
  fetch(request: object): Promise<{ responses: { partitions: { messages: Stamped[] }[] }[] }>;
  produce(request: object): Promise<{ topics: { partitions: { logAppendTime?: string }[] }[] }>;
  listOffsets(request: {
    topics: { partitions: { timestamp: number }[] }[];
  }): Promise<{ responses: { partitions: Stamped[] }[] }>;
}

/** Who waits for longer looks again whether the time has come, and may do so sooner; no time-out is as long. */
const LONG_MS = 60_000;
const LOOK_MS = 500;

/** From a time of the machine on, ms since the epoch, the brokers' clocks are off by this, ms. */
interface Setting {
  from: number;
  off: number;
}

/**
 * The brokers' clocks, which a test sets forward: hours of the log's time pass at once, and nobody has to wait for them.
 * Brokers stamp what they append, and nobody can tell them what time it is; so each time in their answers is changed
 * where they come in, for every client of this process alike. A record keeps for ever the time at which it was appended.
 */
export class BrokersTime {
  private readonly settings: Setting[];

  private constructor(
    off: number,
    private readonly prototype: BrokerCalls,
    private readonly real: BrokerCalls,
    private readonly realAfter: Clock['after'],
  ) {
    this.settings = [{ from: -Infinity, off }];
  }

  /** @param off at first, ms; below 0: the brokers are behind */
  static take(off: number): BrokersTime {
    const { prototype } = createRequire(import.meta.url)('kafkajs/src/broker') as { prototype: BrokerCalls };
    const { fetch, produce, listOffsets } = prototype;
    const time = new BrokersTime(off, prototype, { fetch, produce, listOffsets }, systemClock.after);
    time.change();
    return time;
  }

  giveBack(): void {
    Object.assign(this.prototype, this.real);
    systemClock.after = this.realAfter;
  }

  /** At the latest in a millisecond. */
  now(): number {
    return Date.now() + (this.settings.at(-1) as Setting).off;
  }

  /** All brokers' clocks are set forward. */
  advance(ms: number): void {
    const { off } = this.settings.at(-1) as Setting;
    this.settings.push({ from: Date.now() + 1, off: off + ms });
  }

  private logTimeOf(machine: number): number {
    const { off } = this.settings.findLast(({ from }) => from <= machine) as Setting;
    return machine + off;
  }

  /** The first time of the machine at which it was so late by the log. */
  private machineTimeOf(logTime: number): number {
    const at = this.settings.findIndex((_, index) => {
      const next = this.settings[index + 1];
      return next === undefined || next.from + next.off > logTime;
    });
    const { from, off } = this.settings[at] as Setting;
    return Math.max(from, logTime - off);
  }

  private change(): void {
    const { real, prototype, realAfter } = this;
    // A timer that was set for hours of the log does not know that they are over.
    systemClock.after = (ms, callback) => realAfter(ms > LONG_MS ? LOOK_MS : ms, callback);
    const log = (stamp: string): string => (Number(stamp) < 0 ? stamp : String(this.logTimeOf(Number(stamp))));
    const machine = (asked: number): number => (asked < 0 ? asked : this.machineTimeOf(asked));
    prototype.fetch = async function (this: BrokerCalls, request) {
      const answer = await real.fetch.call(this, request);
      for (const { partitions } of answer.responses)
        for (const { messages } of partitions)
          for (const message of messages) message.timestamp = log(message.timestamp);
      return answer;
    };
    prototype.produce = async function (this: BrokerCalls, request) {
      const answer = await real.produce.call(this, request);
      for (const { partitions } of answer.topics)
        for (const part of partitions)
          if (part.logAppendTime !== undefined) part.logAppendTime = log(part.logAppendTime);
      return answer;
    };
    prototype.listOffsets = async function (this: BrokerCalls, request) {
      const topics = request.topics.map((topic) => ({
        ...topic,
        partitions: topic.partitions.map((each) => ({ ...each, timestamp: machine(each.timestamp) })),
      }));
      const answer = await real.listOffsets.call(this, { ...request, topics });
      for (const { partitions } of answer.responses)
        for (const each of partitions) each.timestamp = log(each.timestamp);
      return answer;
    };
  }
}
