import { registerHooks } from 'node:module';
import { fileURLToPath } from 'node:url';
import { transformFileSync } from '@swc/core';

/**
 * Lets this process import the project's TypeScript as it stands, without a build: `./x.js` finds `./x.ts`, and
 * .swcrc says how it is compiled. Node's own type stripping refuses parameter properties and decorators.
 */
registerHooks({
  resolve(specifier, context, nextResolve) {
    const fromTypeScript = context.parentURL?.endsWith('.ts') && specifier.startsWith('.');
    return nextResolve(fromTypeScript ? specifier.replace(/\.js$/, '.ts') : specifier, context);
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts')) return nextLoad(url, context);
    return { format: 'module', shortCircuit: true, source: transformFileSync(fileURLToPath(url)).code };
  },
});
