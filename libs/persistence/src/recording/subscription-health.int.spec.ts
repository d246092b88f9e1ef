import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { DeliveryState, OutcomeRecord } from '@hookline/contracts';
import type { OutcomeToRecord } from './attempt-rows.js';
import { HistoryRig } from './testing/history-rig.js';

const AT = Date.UTC(2020, 1, 28, 12);
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** What was heard of an endpoint: a success, a failed attempt, or that a delivery was put off without one. */
type Heard = 'success' | 'failure' | 'put-off';

const STATES: Record<Heard, DeliveryState> = { success: 'delivered', failure: 'retrying', 'put-off': 'retrying' };

let rig: HistoryRig;
let deliveries = 0;

beforeEach(async () => {
  rig = await HistoryRig.open();
  await rig.pool.query(
    `INSERT INTO subscriptions (id, tenant_id, url, types, status, sealed, version)
     SELECT id, 'ten_1', 'http://x', '{*}', 'enabled', '', 1 FROM unnest('{sub_a,sub_b}'::text[]) AS s(id)`,
  );
});
afterEach(() => rig.close());

/** One batch. @param at ms after {@link AT}; all outcomes are of `sub_a` where nothing else is said */
async function heard(...outcomes: [what: Heard, at: number, subscriptionId?: string][]): Promise<number> {
  const batch = outcomes.map(([what, at, subscriptionId = 'sub_a'], offset): OutcomeToRecord => {
    deliveries += 1;
    const attempt = { id: 'a', number: 1, at: 0, durationMs: 1, status: what === 'success' ? 200 : 500 };
    const outcome: OutcomeRecord = {
      v: 1,
      tenant: 'ten_1',
      eventId: 'e',
      type: 't',
      source: { partition: 0, offset: deliveries, at: AT },
      delivery: {
        id: `msg_${deliveries.toString(16).padStart(32, '0')}`,
        subscriptionId,
        state: STATES[what],
        ...(what === 'put-off' ? { reason: 'busy' as const } : { attempt }),
      },
    };
    return { position: { partition: 0, offset, at: AT + at }, outcome };
  });
  return (await rig.write(...batch)).subscription_health;
}

/** All times are ms after {@link AT}. */
async function health(id = 'sub_a'): Promise<Record<string, number | null>> {
  const { rows } = await rig.pool.query<Record<string, Date | null>>(
    'SELECT failing_since, failed_at, last_success_at FROM subscription_health WHERE subscription_id = $1',
    [id],
  );
  const told = Object.entries(rows[0] ?? {});
  return Object.fromEntries(told.map(([name, at]) => [name, at && at.getTime() - AT]));
}

async function enabledAt(at: number): Promise<void> {
  await rig.pool.query(`UPDATE subscriptions SET enabled_at = $1 WHERE id = 'sub_a'`, [new Date(AT + at)]);
}

describe('the health of a subscription', () => {
  it('is failing since the first failed attempt after the last success', async () => {
    await heard(['success', 0], ['failure', HOUR_MS, 'sub_b']);
    expect(await health()).toEqual({ failing_since: null, failed_at: null, last_success_at: 0 });
    await heard(['failure', HOUR_MS], ['failure', 2 * HOUR_MS]);
    await heard(['failure', 3 * HOUR_MS]);
    const failing = { failing_since: HOUR_MS, failed_at: 3 * HOUR_MS, last_success_at: 0 };
    expect(await health()).toEqual(failing);
    expect(await health('sub_b')).toEqual({ failing_since: HOUR_MS, failed_at: HOUR_MS, last_success_at: null });
  });

  it('is well again with a success, of whatever delivery', async () => {
    await heard(['failure', 0]);
    await rig.pool.query('UPDATE subscription_health SET warned_ms = 1');
    await heard(['failure', HOUR_MS], ['success', 2 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: null, last_success_at: 2 * HOUR_MS });
    const warned = await rig.pool.query<{ warned_ms: string }>('SELECT warned_ms FROM subscription_health');
    expect(warned.rows).toEqual([{ warned_ms: '0' }]);
  });

  it('says nothing of deliveries that were only put off', async () => {
    expect(await heard(['put-off', 0])).toBe(0);
    expect(await health()).toEqual({});
  });

  it('comes out alike where a recorder reads one partition long before another', async () => {
    await heard(['failure', 0], ['failure', 3 * HOUR_MS]);
    await heard(['success', 2 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 3 * HOUR_MS, last_success_at: 2 * HOUR_MS });
    await heard(['failure', HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 3 * HOUR_MS });
    await heard(['failure', 2 * HOUR_MS + 5 * MINUTE_MS]);
    expect(await health()).toMatchObject({ failing_since: 2 * HOUR_MS + 5 * MINUTE_MS });
  });

  it('of an endpoint that is well, or fails on and on, costs a row in a minute, and not one in each batch', async () => {
    expect(await heard(['success', 0], ['success', 0, 'sub_b'])).toBe(2);
    expect(await heard(['success', 1_000], ['success', 59_999])).toBe(0);
    // One that fails now and then, too.
    expect(await heard(['failure', 5_000], ['success', 30_000], ['failure', 50_000])).toBe(0);
    expect(await heard(['success', MINUTE_MS])).toBe(1);
    expect(await heard(['failure', HOUR_MS])).toBe(1);
    expect(await heard(['failure', HOUR_MS + 1_000], ['failure', HOUR_MS + 59_999])).toBe(0);
    expect(await heard(['failure', HOUR_MS + MINUTE_MS])).toBe(1);
  });

  it('begins anew where it was enabled since', async () => {
    await heard(['failure', 0], ['failure', HOUR_MS]);
    await enabledAt(2 * HOUR_MS);
    await heard(['failure', HOUR_MS + 1]);
    expect(await health()).toMatchObject({ failing_since: 0 });
    await heard(['failure', 3 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 3 * HOUR_MS });
    await heard(['failure', 4 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 3 * HOUR_MS, failed_at: 4 * HOUR_MS });
  });

  it('begins anew where nothing was tried for so long that nobody knows how it was meanwhile', async () => {
    await heard(['failure', 0]);
    await heard(['failure', 5 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 0 });
    await heard(['failure', 12 * HOUR_MS]);
    expect(await health()).toMatchObject({ failing_since: 12 * HOUR_MS });
  });

  it('is not kept of a subscription that there is not', async () => {
    expect(await heard(['failure', 0, 'sub_c'])).toBe(0);
  });
});
