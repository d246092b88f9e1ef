import { BaseRpcContext, Server, type CustomTransportStrategy, type MessageHandler } from '@nestjs/microservices';
import { firstValueFrom, isObservable } from 'rxjs';
import { OffsetRunner } from './offset-runner.js';
import type { BatchHandler, LogRecord } from './record.js';
import type { RunnerOptions } from './runner-options.js';

/** A consumer group: a runner's options, but for the handler, which the application's controllers are. */
export type LogTransportGroup = Omit<RunnerOptions, 'handler'>;

export interface LogTransportOptions {
  groups: readonly LogTransportGroup[];
}

type Handler = MessageHandler<readonly LogRecord[], BaseRpcContext, unknown>;

/**
 * Brings the log to controllers: `@EventPattern<string>('topic')`, or `'prefix.*'`, on a method that takes a whole
 * batch (`readonly LogRecord[]`, of one partition) and returns a promise for each, as a {@link BatchHandler} does.
 * Nest's guards, pipes and interceptors are crossed once for a batch.
 */
export class LogTransportStrategy extends Server implements CustomTransportStrategy {
  private runners: OffsetRunner[] = [];

  constructor(private readonly options: LogTransportOptions) {
    super();
  }

  /** Starts a runner for each group; each goes on trying to join while Kafka is away. */
  listen(callback: (error?: unknown) => void): void {
    try {
      this.runners = this.options.groups.map(
        (group) => new OffsetRunner({ ...group, handler: this.handlerFor(group.topics) }),
      );
    } catch (error) {
      callback(error);
      return;
    }
    for (const runner of this.runners) void runner.start();
    callback();
  }

  /** Drains, commits and leaves the groups. */
  async close(): Promise<void> {
    await Promise.all(this.runners.map((runner) => runner.stop()));
  }

  /** There are no events besides the records. */
  on(): void {}

  /** The runners, in the order of the groups: for health, metrics and pausing intake. */
  unwrap<T = readonly OffsetRunner[]>(): T {
    return this.runners as T;
  }

  /** @throws Error naming the topics that no controller takes: their records would be read and lost */
  private handlerFor(topics: readonly string[]): BatchHandler {
    const handlers = new Map(topics.map((topic) => [topic, this.handlerOf(topic)]));
    const missing = topics.filter((topic) => handlers.get(topic) === undefined);
    if (missing.length > 0) throw new Error(`no @EventPattern takes ${missing.join(', ')}`);
    return (records) => {
      const topic = (records[0] as LogRecord).topic;
      const answer = this.call(handlers.get(topic) as Handler, topic, records);
      return records.map((_, i) => answer.then((promises) => promises[i] ?? unanswered()));
    };
  }

  private handlerOf(topic: string): Handler | undefined {
    const patterns = [...this.messageHandlers.keys()].filter((pattern) => pattern.endsWith('*'));
    const longest = patterns.filter((p) => topic.startsWith(p.slice(0, -1))).sort((a, b) => b.length - a.length)[0];
    return this.messageHandlers.get(topic) ?? (longest === undefined ? undefined : this.messageHandlers.get(longest));
  }

  /** Not `handleEvent`: that one resolves even where the handler has failed. */
  private async call(
    handler: Handler,
    topic: string,
    records: readonly LogRecord[],
  ): Promise<readonly Promise<void>[]> {
    const result: unknown = await handler(records, new BaseRpcContext([topic]));
    const answer: unknown = isObservable(result) ? await firstValueFrom(result) : result;
    if (!Array.isArray(answer)) throw new TypeError(`the handler of ${topic} must return an array of promises`);
    return answer as readonly Promise<void>[];
  }
}

function unanswered(): never {
  throw new Error('the handler returned no promise for this record');
}
