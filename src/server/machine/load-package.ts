/** Loads the native part of the optional package that the first argument names, in a process of its own: it may crash. */
import { createRequire } from 'node:module';

const name = process.argv[2] ?? '';
const module = (await import(name)) as {
  getLlama?: (options: object) => Promise<unknown>;
  loadWhisperModule?: unknown;
};
// It loads nothing native before it is told to.
await module.getLlama?.({ gpu: false, build: 'never', skipDownload: true, progressLogs: false });
// Its own loader does not say why a build cannot be loaded, which mostly is a library of the system.
if (module.loadWhisperModule) {
  const inPackage = createRequire(createRequire(import.meta.url).resolve(name));
  inPackage(`@fugood/node-whisper-${process.platform}-${process.arch}`);
}
// A native thread may hold the process open.
process.exit(0);
