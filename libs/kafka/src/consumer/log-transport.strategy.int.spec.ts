import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Inject, Module, type INestMicroservice } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, Payload } from '@nestjs/microservices';
import { systemClock } from '@hookline/platform';
import { LogTransportStrategy } from './log-transport.strategy.js';
import type { LogRecord } from './record.js';
import { HandledLog } from './testing/handled-log.js';
import { RunnerRig } from './testing/runner-rig.js';

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A controller as an application has it; its topics are known when the test runs only, so the class is made there. */
function moduleFor(
  events: string,
  lanes: string,
  state: { failures: number },
): { module: new () => object; log: HandledLog } {
  const log = new HandledLog();

  @Controller()
  class Consumers {
    constructor(@Inject('log') private readonly log: HandledLog) {}

    @EventPattern<string>(events)
    onEvents(@Payload() records: readonly LogRecord[]): Promise<void>[] {
      if (state.failures-- > 0) throw new Error('not now');
      return this.log.handle(records);
    }

    @EventPattern<string>(lanes)
    onLanes(@Payload() records: readonly LogRecord[]): Promise<void>[] {
      return this.log.handle(records);
    }
  }

  @Module({ controllers: [Consumers], providers: [{ provide: 'log', useValue: log }] })
  class App {}
  return { module: App, log };
}

describe('LogTransportStrategy', () => {
  let rig: RunnerRig;
  let app: INestMicroservice | undefined;
  beforeEach(async () => {
    rig = await RunnerRig.open();
  });
  afterEach(async () => {
    await app?.close();
    await rig.close();
  });

  async function start(topics: string[], strategyOf: { module: new () => object }): Promise<LogTransportStrategy> {
    const group = { kafka: rig.kafka, groupId: rig.groupId, topics, clock: systemClock, logger: quiet };
    const retry = { firstMs: 5, mostMs: 20 };
    const strategy = new LogTransportStrategy({ groups: [{ ...group, retry, commitIntervalMs: 50 }] });
    app = await NestFactory.createMicroservice(strategyOf.module, { strategy, logger: false });
    await app.listen();
    return strategy;
  }

  it('brings whole batches to controllers, by topic and by prefix, and commits what they completed', async () => {
    const [events, lane] = [await rig.topic(1), await rig.topic(1)];
    const { module, log } = moduleFor(events, `${lane.slice(0, -3)}*`, { failures: 0 });
    log.hold = ({ topic, offset }) => topic === events && offset === 4;
    const strategy = await start([events, lane], { module });
    const ids = [...(await rig.produce(events, 0, 10)), ...(await rig.produce(lane, 0, 10))];
    await log.has(ids);
    await rig.committedUpTo(lane, 0, 10);
    await rig.committedAbove(events, 0, 4, [{ from: 5, to: 10 }]);
    log.release();
    await rig.committedUpTo(events, 0, 10);
    expect([...log.ids()].sort()).toEqual(ids.sort());
    expect(strategy.unwrap()).toHaveLength(1);
  });

  it('a controller that throws completes nothing: its records come again', async () => {
    const topic = await rig.topic(1);
    const { module, log } = moduleFor(topic, 'none', { failures: 3 });
    const ids = await rig.produce(topic, 0, 5);
    await start([topic], { module });
    await rig.committedUpTo(topic, 0, 5);
    expect([...log.ids()].sort()).toEqual(ids.sort());
  });

  it('refuses to read a topic that no controller takes', async () => {
    const topic = await rig.topic(1);
    const { module } = moduleFor('another', 'none', { failures: 0 });
    await expect(start([topic], { module })).rejects.toThrow(`no @EventPattern takes ${topic}`);
  });
});
