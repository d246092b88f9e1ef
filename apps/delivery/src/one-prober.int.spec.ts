import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { TOPICS } from '@hookline/contracts';
import { WebhookReceiver } from '@hookline/testing';
import { DeliveryRig } from './testing/delivery-rig.js';
import type { RigWorker } from './testing/rig-worker.js';

let rig: DeliveryRig;
let receiver: WebhookReceiver;

beforeEach(async () => {
  receiver = await WebhookReceiver.start();
});

afterEach(async () => {
  await receiver.close();
  await rig.close();
});

const until = (what: string, condition: () => boolean | Promise<boolean>): Promise<unknown> =>
  rig.until(what, condition);

describe('A broken endpoint is probed by all', () => {
  it('only its owner tries it, also when that is another, and all send directly again once it is back', async () => {
    rig = await DeliveryRig.open({
      retryDelaysMs: [200],
      retryJitterPercent: 0,
      breakerOpenMs: 300,
      breakerFailures: 3,
    });
    receiver.behave({ status: 500 });
    const workers = [await rig.worker(), await rig.worker()] as const;
    await until('both to know each other', () => workers.every(({ share }) => share.workers() === 2));
    const id = await rig.subscribe({ url: receiver.url });
    await until('both to know the subscription', () =>
      workers.every(({ engine }) => engine.targets.get(id) !== undefined),
    );
    const owned = (worker: RigWorker): boolean => worker.share.isOwner(id);
    await until('one owner', () => workers.filter(owned).length === 1);
    const [owner, other] = owned(workers[0]) ? workers : [workers[1], workers[0]];

    // Each partition of the events is one worker's: both have some of these.
    const publishAll = (): Promise<unknown> => Promise.all([0, 1, 2].map((partition) => rig.publish({ partition })));
    const hasHeard = (worker: RigWorker): boolean => worker.engine.words.of(id, Date.now()) !== undefined;
    await until('both to know that it is broken', async () => {
      await publishAll();
      return workers.every(hasHeard);
    });
    // It looks at what it has heard now and then.
    await until('the other to leave it alone', async () => {
      await publishAll();
      return other.engine.targets.get(id)?.subscriber.door?.takesEvents === false;
    });
    const before = other.attempts;
    const ofOwner = owner.attempts;
    await until('the owner to try it time and again', async () => {
      await publishAll();
      return owner.attempts >= ofOwner + 3;
    });
    // But for those that waited for room then.
    expect(other.attempts - before).toBeLessThanOrEqual(rig.settings.startConcurrency);

    receiver.behave({});
    await until('the word to be taken back', async () => {
      await publishAll();
      return !workers.some(hasHeard);
    });
    const [byOwner, byOther] = [owner.attempts, other.attempts];
    await until('both to send directly', async () => {
      await publishAll();
      return owner.attempts > byOwner && other.attempts > byOther;
    });

    receiver.behave({ status: 500 });
    await until('both to know that it is broken again', async () => {
      await publishAll();
      return workers.every(hasHeard);
    });
    await owner.stop();
    await until('the other to own it', () => owned(other));
    const tried = other.attempts;
    await until('the new owner to try it', async () => {
      await publishAll();
      return other.attempts > tried;
    });
    receiver.behave({});
    await until('the new owner to take the word back', async () => {
      await publishAll();
      return !hasHeard(other);
    });
    await until('the topic to say so too', async () => {
      const said = (await rig.read(TOPICS.progress)).filter(({ key }) => String(key) === `endpoint:${id}`);
      return said.length > 0 && said.at(-1)?.value === null;
    });
  });
});
