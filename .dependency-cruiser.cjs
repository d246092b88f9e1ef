/**
 * Who may import whom: the table of docs/ARCHITECTURE.md as rules. Whatever is not named in MAY is refused.
 * Spec files, and the folders `testing` beside them, may also use @hookline/testing.
 */
const MAY = {
  contracts: [],
  config: [],
  domain: ['contracts'],
  platform: ['config', 'contracts'],
  kafka: ['config', 'contracts', 'domain', 'platform'],
  persistence: ['config', 'contracts', 'domain', 'platform'],
  outbox: ['contracts', 'domain'],
  'http-delivery': ['config', 'domain', 'platform'],
  embedded: ['config', 'contracts', 'platform'],
};
/** Specs, and what only they import. */
const SPEC = ['\\.spec\\.ts$', '/src/testing/', '/src/.+/testing/'];

const libRules = Object.entries(MAY).map(([lib, others]) => ({
  name: `lib-${lib}`,
  comment: `libs/${lib} may import ${others.length === 0 ? 'no other lib' : others.join(', ')}`,
  severity: 'error',
  from: { path: `^libs/${lib}/`, pathNot: SPEC },
  to: { path: '^(libs|apps|bench|test)/', pathNot: `^libs/(${[lib, ...others].join('|')})/` },
}));

module.exports = {
  forbidden: [
    ...libRules,
    {
      name: 'testing-is-for-tests',
      comment: 'only tests and the bench import libs/testing',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [...SPEC, '^libs/testing/'] },
      to: { path: '^libs/testing/' },
    },
    {
      name: 'embedded-is-for-one-machine',
      comment: 'only apps/hookline, libs/testing, tests and the bench start Kafka and PostgreSQL themselves',
      severity: 'error',
      from: { pathNot: ['^libs/(embedded|testing)/', '^(apps/hookline|test|bench)/', ...SPEC] },
      to: { path: '^libs/embedded/' },
    },
    {
      name: 'apps-apart',
      comment: 'apps do not import one another, but for apps/hookline, which composes them',
      severity: 'error',
      from: { path: '^apps/(?!hookline/)([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libs-below-apps',
      comment: 'libs import neither apps nor tests nor the bench',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^(apps|test|bench)/' },
    },
    {
      name: 'through-the-index',
      comment: 'another lib is imported by its index: `@hookline/<lib>`',
      severity: 'error',
      from: { path: '^libs/([^/]+)/' },
      to: { path: '^libs/[^/]+/', pathNot: ['^libs/$1/', '^libs/[^/]+/src/index\\.ts$'] },
    },
    {
      name: 'through-the-index-from-outside',
      comment: 'a lib is imported by its index: `@hookline/<lib>`',
      severity: 'error',
      from: { path: '^(apps|bench|test)/' },
      to: { path: '^libs/[^/]+/', pathNot: '^libs/[^/]+/src/index\\.ts$' },
    },
    {
      name: 'engine-without-frameworks',
      comment: 'the engine is plain classes: no Nest, TypeORM, Kafka or HTTP client in contracts and domain',
      severity: 'error',
      from: { path: '^libs/(contracts|domain)/', pathNot: SPEC },
      to: { path: '^node_modules/(?!@types/)' },
    },
    {
      name: 'database-off-the-way',
      comment: 'PostgreSQL is never on the way of an event: ingest and delivery do not know it',
      severity: 'error',
      from: { path: '^apps/(ingest|delivery)/', pathNot: SPEC },
      to: { path: ['^libs/persistence/', '^node_modules/(pg|typeorm|@nestjs/typeorm)/'] },
    },
    {
      name: 'no-circular',
      comment: 'no circle at run time; types may name each other',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    { name: 'not-resolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|\\.hookline)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'node', 'default'] },
  },
};
