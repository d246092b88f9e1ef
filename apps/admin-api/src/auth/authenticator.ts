import { apiKeyIdOf, isHashOfKey, sameSecret } from '@hookline/domain';
import { ApiKey } from '@hookline/persistence';
import type { Database } from '../database/database.js';
import type { Caller } from './caller.js';

/** Knows callers by their bearer token: the operator's from the settings, keys from the database. */
export class Authenticator {
  constructor(
    private readonly operatorToken: string | undefined,
    private readonly database: Database,
  ) {}

  /**
   * @param authorization the header as it came
   * @returns undefined for whoever is not known, whose key is revoked, or who gives none
   */
  async authenticate(authorization: string | undefined): Promise<Caller | undefined> {
    const token = /^Bearer +([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1];
    if (token === undefined) return undefined;
    if (this.operatorToken !== undefined && sameSecret(token, this.operatorToken)) return { kind: 'operator' };
    const id = apiKeyIdOf(token);
    if (id === undefined) return undefined;
    const key = await this.database.run((manager) => manager.findOneBy(ApiKey, { id, status: 'active' }));
    if (key === null || !isHashOfKey(token, key.hash)) return undefined;
    return { kind: 'tenant', tenantId: key.tenantId, keyId: id };
  }
}
