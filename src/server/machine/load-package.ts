/** Loads the native part of the optional package that the first argument names, in a process of its own: it may crash. */
const name = process.argv[2] ?? '';
const module = (await import(name)) as {
  getLlama?: (options: object) => Promise<unknown>;
  loadWhisperModule?: () => Promise<unknown>;
};
// These two load nothing native before they are told to.
await module.getLlama?.({ gpu: false, build: 'never', skipDownload: true, progressLogs: false });
await module.loadWhisperModule?.();
// A native thread may hold the process open.
process.exit(0);
