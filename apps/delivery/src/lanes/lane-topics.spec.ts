import { describe, expect, it } from '@jest/globals';
import { retryTopic, TOPICS } from '@hookline/contracts';
import { mayRest } from './lane-topics.js';

describe('the lanes that may be read in lumps', () => {
  it('are the tiers in which nothing is due soon, and no others', () => {
    const { events, deliveries, replays } = TOPICS;
    const topics = [events, deliveries, replays, retryTopic(1_000), retryTopic(2_000), retryTopic(3_600_000)];
    expect(topics.filter(mayRest)).toEqual([retryTopic(2_000), retryTopic(3_600_000)]);
  });
});
