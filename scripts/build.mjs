// Builds dist/: the server by the TypeScript compiler, the page by esbuild, and the recogniser's language model from the
// sentences that the built-in brain understands. Worklets are bundles of their own.
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));

try {
  createRequire(import.meta.url).resolve(`@esbuild/${process.platform}-${process.arch}/package.json`);
} catch {
  console.error('The compilers are not installed: npm brings them as optional packages. Run npm ci without --omit.');
  process.exit(1);
}
rmSync('dist', { recursive: true, force: true });

// Types are checked by `npm run check`; here they would be missed where an engine's optional package is not installed.
const tsc = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noCheck'], {
  stdio: 'inherit',
});
if (tsc.status !== 0) process.exit(tsc.status ?? 1);

const client = 'src/client';
const worklets = readdirSync(client).filter((name) => name.endsWith('-worklet.ts'));
await build({
  entryPoints: ['main.ts', ...worklets].map((name) => `${client}/${name}`),
  outdir: 'dist/client',
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
});
cpSync(`${client}/public`, 'dist/client', { recursive: true });
for (const folder of ['avatars/presets', 'lip-sync/musetalk/convert/reference']) {
  cpSync(`src/server/video/${folder}`, `dist/server/video/${folder}`, { recursive: true });
}

const { buildLanguageModel } = await import('../dist/server/engines/pocketsphinx/language-model.js');
await buildLanguageModel();
