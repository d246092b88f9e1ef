import { afterEach, describe, expect, it } from '@jest/globals';
import { failFirstOfEach } from './behaviour.js';
import { WebhookReceiver } from './webhook-receiver.js';

const post = (url: string, id: string, body: string): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'webhook-id': id } });

describe('WebhookReceiver', () => {
  let receiver: WebhookReceiver;
  afterEach(() => receiver.close());

  it('keeps each request as it came, with its answer', async () => {
    receiver = await WebhookReceiver.start(failFirstOfEach(1));
    expect((await post(receiver.url, 'msg_a', '{"a": 1}')).status).toBe(503);
    expect((await post(receiver.url, 'msg_a', '{"a": 1}')).status).toBe(204);
    expect(receiver.requests.map(({ status }) => status)).toEqual([503, 204]);
    expect(receiver.requests[0]?.body.toString()).toBe('{"a": 1}');
    expect([...receiver.acceptedIds()]).toEqual([['msg_a', 1]]);
  });

  it('refuses while it is closed and listens on the same port again', async () => {
    receiver = await WebhookReceiver.start();
    const { url } = receiver;
    await receiver.close();
    await expect(post(url, 'msg_a', '')).rejects.toThrow();
    await receiver.open();
    expect((await post(url, 'msg_a', '')).status).toBe(204);
  });

  it('cuts and hangs as it is told', async () => {
    receiver = await WebhookReceiver.start();
    receiver.behave({ cut: true });
    await expect(post(receiver.url, 'msg_a', '')).rejects.toThrow();
    receiver.behave({ hang: true });
    const signal = AbortSignal.timeout(50);
    await expect(fetch(receiver.url, { method: 'POST', signal })).rejects.toThrow();
    expect(receiver.accepted).toHaveLength(0);
  });
});
