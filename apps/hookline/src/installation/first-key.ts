import { setTimeout as pause } from 'node:timers/promises';
import { StartError } from '@hookline/embedded';
import { saveSecrets, type Secrets } from './secrets.js';

const KNOWN_WITHIN_MS = 60_000;

/** The API key of the data folder: the one that was shown before if it still works, else that of a new tenant. */
export async function ensureFirstKey(
  dataDir: string,
  secrets: Secrets,
  { adminUrl, ingestUrl }: { adminUrl: string; ingestUrl: string },
): Promise<string> {
  if (secrets.apiKey === undefined || !(await worksAt(adminUrl, secrets.apiKey))) {
    const tenant = await create(`${adminUrl}/v1/tenants`, secrets.operatorToken, { name: 'first tenant' });
    const key = await create(`${adminUrl}/v1/tenants/${tenant['id']}/keys`, secrets.operatorToken, {
      name: 'npm start',
    });
    secrets.apiKey = String(key['key']);
    saveSecrets(dataDir, secrets);
  }
  await untilIngestKnows(ingestUrl, secrets.apiKey);
  return secrets.apiKey;
}

async function worksAt(adminUrl: string, key: string): Promise<boolean> {
  const response = await call('GET', `${adminUrl}/v1/webhooks/subscriptions`, key);
  return response.ok;
}

/** It hears of a new key over Kafka. An empty event is refused either way, but a known key is told why. */
async function untilIngestKnows(ingestUrl: string, key: string): Promise<void> {
  const end = Date.now() + KNOWN_WITHIN_MS;
  while ((await call('POST', `${ingestUrl}/v1/events`, key, {})).status === 401) {
    if (Date.now() > end) throw new StartError('ingest has not heard of the API key: look at the logs of admin-api.');
    await pause(50);
  }
}

async function create(url: string, token: string, body: object): Promise<Record<string, unknown>> {
  const response = await call('POST', url, token, body);
  const text = await response.text();
  if (!response.ok) throw new StartError(`POST ${url} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

function call(method: string, url: string, token: string, body?: object): Promise<Response> {
  const headers = { authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
  return fetch(url, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
}
