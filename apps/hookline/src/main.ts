const OLDEST_NODE = 22;

// Before anything else is loaded: what follows would fail on an older one without saying why.
if (Number(process.versions.node.split('.')[0]) < OLDEST_NODE) {
  process.stderr.write(
    `Hookline runs on Node ${OLDEST_NODE} or later, and this is ${process.version}: use npm start, which brings its own.\n`,
  );
  process.exit(1);
}
const { run } = await import('./cli/run.js');
await run(process.argv.slice(2));
