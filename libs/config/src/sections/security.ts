import { section } from '../load.js';
import { list, optionalText } from '../setting.js';

export interface SealingConfig {
  /** `name:base64 of 32 bytes`; the first one seals, all of them open. */
  keys: string[];
}

export const sealingSection = section<SealingConfig>('Secrets', {
  keys: {
    ...list('HOOKLINE_SEALING_KEYS', 'Keys that seal secrets, name:base64 of 32 bytes; the first one seals, all open.'),
    secret: true,
  },
});

export interface OperatorConfig {
  token: string | undefined;
}

export const operatorSection = section<OperatorConfig>('Operator', {
  token: optionalText(
    'HOOKLINE_OPERATOR_TOKEN',
    'The bearer token that may manage every tenant; at least 32 characters.',
    {
      secret: true,
    },
  ),
});
