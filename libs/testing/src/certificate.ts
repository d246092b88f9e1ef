import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

interface CertificateOptions {
  /** An IPv4 address that it is for. */
  readonly address?: string;
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

interface TestCertificate {
  /** PEM. */
  readonly key: string;
  /** PEM; its own issuer. */
  readonly cert: string;
}

const DAY_MS = 86_400_000;

/**
 * A self-signed certificate for a server of a test: made on the spot, so that no key lies in the repository and none
 * runs out. X.509 version 3 in DER, RFC 5280 section 4.1.
 */
export function testCertificate(options: CertificateOptions = {}): TestCertificate {
  const { address = '127.0.0.1', notBefore = new Date(Date.now() - DAY_MS) } = options;
  const notAfter = options.notAfter ?? new Date(Date.now() + DAY_MS);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der(0x30, oid('2a8648ce3d040302'));
  const name = der(0x30, der(0x31, der(0x30, oid('550403'), der(0x0c, Buffer.from('Hookline test')))));
  const alternative = der(0x30, der(0x87, Buffer.from(address.split('.').map(Number))));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    der(0x30, time(notBefore), time(notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(0x30, der(0x30, oid('551d11'), der(0x04, alternative)))),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)]);
  const certificate = der(0x30, body, algorithm, der(0x03, signature)).toString('base64');
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.replaceAll(/.{64}/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...contents: Buffer[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));

/** GeneralizedTime, to the second. */
const time = (date: Date): Buffer =>
  der(0x18, Buffer.from(`${date.toISOString().replaceAll(/\D/g, '').slice(0, 14)}Z`, 'latin1'));
