import { defineConfig } from 'vitest/config';
import { SILENT } from './src/server/workers/silent.ts';

const project = (name: string, timeoutMs: number, extra: object = {}) => ({
  test: {
    name,
    include: [`test/${name}/**/*.test.ts`],
    testTimeout: timeoutMs,
    hookTimeout: timeoutMs,
    env: { ...SILENT },
    ...extra,
  },
});

export default defineConfig({
  test: {
    // One after another where real engines or a browser run: two cores are soon taken.
    projects: [
      project('unit', 15_000),
      project('contracts', 60_000),
      // A real server each; what limits and failures do takes its time.
      project('server', 60_000, { fileParallelism: false }),
      project('component', 180_000, { fileParallelism: false }),
      project('browser', 120_000, { fileParallelism: false }),
    ],
  },
});
