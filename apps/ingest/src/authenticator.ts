import type { CredentialRecord } from '@hookline/contracts';
import { apiKeyIdOf, isHashOfKey } from '@hookline/domain';
import { notReady, unauthorized } from './problems.js';

/** What is known of the keys. */
export interface Credentials {
  readonly isComplete: boolean;
  get(keyId: string): CredentialRecord | undefined;
}

const BEARER = /^Bearer +(\S+) *$/i;

/** Knows keys from the compacted topic alone: the database may be away for as long as it likes. */
export class Authenticator {
  constructor(private readonly credentials: Credentials) {}

  /**
   * The tenant of the key in an `Authorization` header.
   * @throws ProblemError 401; or 503 while the keys are not known: an unknown key may then be a good one
   */
  tenantOf(authorization: string | undefined): string {
    if (!this.credentials.isComplete) throw notReady();
    if (authorization === undefined) throw unauthorized('Send the header `Authorization: Bearer hk_…`.');
    const key = BEARER.exec(authorization)?.[1];
    const keyId = key === undefined ? undefined : apiKeyIdOf(key);
    const credential = keyId === undefined ? undefined : this.credentials.get(keyId);
    // One answer for all: who tries keys learns nothing from it.
    if (credential?.status !== 'active' || !isHashOfKey(key as string, credential.hash))
      throw unauthorized('No active key has this value.');
    return credential.tenant;
  }
}
