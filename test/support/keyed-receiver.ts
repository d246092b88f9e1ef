import { setTimeout as pause } from 'node:timers/promises';
import type { Answer, ReceivedRequest, WebhookReceiver } from '@hookline/testing';
import { eventIdOf, HELLO } from './reconcile.js';

const REFUSED_OF = 10;
const ANSWER_MS = 15;

/**
 * Has a receiver look at the order in which events come, whose ids are `<run>/<key>/<sequence>`. It refuses the first
 * attempt of every tenth, and says where one came before all earlier ones of its key were accepted.
 */
export class KeyedReceiver {
  /** What came before its turn. */
  readonly early: string[] = [];
  refused = 0;
  /** By key: the sequence of the next that may come for the first time. */
  private readonly next = new Map<string, number>();
  private readonly refusedIds = new Set<string>();
  private count = 0;

  constructor(receiver: WebhookReceiver) {
    receiver.behave((request) => this.answer(request));
  }

  /** Keys of which something was accepted. */
  get keys(): number {
    return this.next.size;
  }

  private async answer(request: ReceivedRequest): Promise<Answer> {
    if (request.headers['hookline-event-type'] === HELLO) return {};
    const id = eventIdOf(request);
    const [, key = '', sequence = ''] = id.split('/');
    const expected = this.next.get(key) ?? 0;
    const own = Number(sequence);
    // What was accepted already may come again: from there on, in order.
    if (own > expected) this.early.push(`${id}, and ${expected} was not there yet`);
    if (this.count++ % REFUSED_OF === 0 && !this.refusedIds.has(id)) {
      this.refusedIds.add(id);
      this.refused++;
      return { status: 500 };
    }
    await pause(ANSWER_MS);
    if (own === (this.next.get(key) ?? 0)) this.next.set(key, own + 1);
    return {};
  }
}
