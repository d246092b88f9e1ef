import './load-typescript.mjs';
import { format } from 'prettier';

const HEAD = `# Settings

Made from \`libs/config\` by \`npm run check -- --fix\`; don't edit it by hand. Settings are environment variables. Every
fault is named at once, and \`--validate-config\` checks a role's settings without starting it. A required
one must be set for the roles that use it. Times are written \`250ms\`, \`15s\`, \`10m\`, \`24h\`, \`7d\`.

`;

/** The text of docs/settings.md, from the code. */
export async function settingsDoc() {
  const config = await import('../libs/config/src/index.ts');
  const sections = Object.fromEntries(Object.entries(config).filter(([, value]) => isSection(value)));
  return format(HEAD + config.describeSections(sections).replaceAll('### ', '## '), { parser: 'markdown' });
}

const isSection = (value) => typeof value === 'object' && value !== null && 'title' in value && 'settings' in value;
