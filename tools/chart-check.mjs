/**
 * `npm run chart:check`: lints and renders the chart with each values file of its ci folder, validates what comes out
 * against Kubernetes' own schemas, and refuses settings that Hookline doesn't have, in the chart and in the compose
 * file. helm and kubectl-validate are built with Go on the first run and kept under .hookline (some minutes, once).
 */
import './load-typescript.mjs';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');
const CHART = join(ROOT, 'deploy/helm/hookline');
const TOOLS = join(ROOT, '.hookline/tools');
const PACKAGES = {
  helm: 'helm.sh/helm/v4/cmd/helm@v4.3.1',
  'kubectl-validate': 'sigs.k8s.io/kubectl-validate@v0.0.4',
};
/** Values that must be refused; each by the schema, with a sentence, and not by a pod that doesn't start. */
const REFUSED = [
  ['no brokers', 'kafka.brokers=null'],
  ['a broker without a port', 'kafka.brokers[0]=kafka.example'],
  ['no database', 'postgresql.existingSecret='],
  ['a login without a Secret', 'kafka.sasl.mechanism=plain'],
  ['a value that is not known', 'kafka.broker=kafka.example:9092'],
  ['a setting that is none of ours', 'settings.PATH=/tmp'],
  ['an outbox of nobody', 'relay.outbox.existingSecret=shop-postgresql'],
];

const work = mkdtempSync(join(tmpdir(), 'hookline-chart-'));
try {
  await check();
} finally {
  rmSync(work, { recursive: true });
}

async function check() {
  const faults = [];
  const helm = toolPath('helm');
  const validate = toolPath('kubectl-validate');
  const known = await knownSettings();
  const valuesFiles = readdirSync(join(CHART, 'ci')).filter((file) => file.endsWith('-values.yaml'));
  const step = (name, wrong) => {
    console.log(`${wrong === undefined ? 'ok    ' : 'FAILED'}  ${name}`);
    if (wrong !== undefined) faults.push(`${name}\n${wrong}`);
  };

  for (const file of valuesFiles) {
    const values = ['--values', join(CHART, 'ci', file)];
    step(`${file}: helm lint --strict`, fault(run(helm, ['lint', '--strict', CHART, ...values])));
    const rendered = run(helm, ['template', 'check', CHART, '--namespace', 'hookline', ...values]);
    step(`${file}: helm template`, fault(rendered));
    if (rendered.status !== 0) continue;
    const ours = withoutForeignKinds(rendered.stdout);
    const target = join(work, file);
    writeFileSync(target, ours.text);
    step(`${file}: kubectl-validate, ${ours.count} objects${ours.left}`, fault(run(validate, [target])));
    step(`${file}: every setting exists`, unknownSettings(rendered.stdout, known));
  }
  for (const [name, setting] of REFUSED) {
    const values = ['--values', join(CHART, 'ci/minimal-values.yaml'), '--set', setting];
    const { status } = run(helm, ['template', 'check', CHART, ...values]);
    step(`refused: ${name}`, status === 0 ? `--set ${setting} is accepted` : undefined);
  }
  const compose = readFileSync(join(ROOT, 'docker-compose.kafka.yml'), 'utf8');
  step('docker-compose.kafka.yml: every setting exists', unknownSettings(compose, known));

  for (const one of faults) console.error(`\n${one}`);
  process.exitCode = faults.length === 0 ? 0 : 1;
}

/** The tool's path; builds it where it is missing. */
function toolPath(name) {
  const path = join(TOOLS, name);
  if (existsSync(path)) return path;
  mkdirSync(TOOLS, { recursive: true });
  console.log(`building ${name} with Go (some minutes, once)`);
  const { status, error } = spawnSync('go', ['install', PACKAGES[name]], {
    env: { ...process.env, GOBIN: TOOLS },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (error?.code === 'ENOENT') {
    console.error(`Go is missing: install Go 1.26 or later, or put ${name} into ${TOOLS}.`);
    process.exit(1);
  }
  if (status !== 0) process.exit(1);
  return path;
}

function run(command, args) {
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
}

function fault({ status, stdout, stderr, error }) {
  return status === 0 ? undefined : `${error ?? ''}${stdout}${stderr}`;
}

/** Kinds of the Prometheus operator have no schema in Kubernetes. */
function withoutForeignKinds(text) {
  const objects = text.split(/^---$/m).filter((part) => /^kind:/m.test(part));
  const own = objects.filter((part) => !part.includes('monitoring.coreos.com/'));
  const foreign = objects.length - own.length;
  return {
    text: own.join('---\n'),
    count: own.length,
    left: foreign === 0 ? '' : ` (${foreign} without a schema left out)`,
  };
}

async function knownSettings() {
  const config = await import('../libs/config/src/index.ts');
  const sections = Object.values(config).filter((value) => typeof value === 'object' && value?.settings);
  return new Set(sections.flatMap(({ settings }) => Object.values(settings).map(({ env }) => env)));
}

/** Names that are set, `- name: X` or `X:`, and are meant for Hookline; KAFKA_ ones are the broker's own in compose. */
function unknownSettings(text, known) {
  const names = [...text.matchAll(/^\s*(?:- name: )?((?:HOOKLINE|DATABASE|KAFKA)_[A-Z0-9_]+)(?::|$)/gm)].map(
    ([, name]) => name,
  );
  const broker = text.includes('KAFKA_PROCESS_ROLES') ? (name) => name.startsWith('KAFKA_') : () => false;
  const unknown = names.filter((name) => !known.has(name) && !broker(name));
  return unknown.length === 0 ? undefined : `unknown: ${[...new Set(unknown)].join(', ')}`;
}
