import type { Bench, Row } from './row.ts';

type Loader = { ids: readonly string[]; load: () => Promise<Bench['run']> };

/** Every row and where it is measured; only what is asked for is loaded. */
const BENCHES: readonly Loader[] = [
  { ids: ['pipeline-overhead'], load: async () => (await import('./pipeline-overhead.ts')).pipelineOverhead },
  { ids: ['barge-in-server'], load: async () => (await import('./barge-in-server.ts')).bargeInServer },
  { ids: ['barge-in-speaker'], load: async () => (await import('./barge-in-speaker.ts')).bargeInSpeaker },
  { ids: ['false-alarms'], load: async () => (await import('./false-alarms.ts')).falseAlarms },
  { ids: ['heard-truth'], load: async () => (await import('./heard-truth.ts')).heardTruth },
  { ids: ['voice-to-voice'], load: async () => (await import('./voice-to-voice.ts')).voiceToVoice },
  { ids: ['sessions'], load: async () => (await import('./concurrent-sessions.ts')).concurrentSessions },
  { ids: ['process-overhead'], load: async () => (await import('./process-overhead.ts')).processOverhead },
  { ids: ['event-loop-lag'], load: async () => (await import('./event-loop-lag.ts')).eventLoopLag },
  { ids: ['llm-abort'], load: async () => (await import('./llm-abort.ts')).llmAbort },
  { ids: ['prefix-reuse'], load: async () => (await import('./prefix-reuse.ts')).prefixReuse },
  { ids: ['final-text'], load: async () => (await import('./final-text.ts')).finalText },
  { ids: ['recognition'], load: async () => (await import('./recognition.ts')).recognition },
  { ids: ['synthesis'], load: async () => (await import('./synthesis.ts')).synthesis },
  { ids: ['lip-sync'], load: async () => (await import('./lip-sync.ts')).lipSync },
  { ids: ['download-resume'], load: async () => (await import('./download-resume.ts')).downloadResume },
  {
    ids: ['clip-audio-delay', 'clip-audio-delay-4mb'],
    load: async () => (await import('./clip-audio-delay.ts')).clipAudioDelay,
  },
  { ids: ['first-face'], load: async () => (await import('./first-face.ts')).firstFace },
  { ids: ['av-offset'], load: async () => (await import('./av-offset.ts')).avOffset },
  { ids: ['face-stop'], load: async () => (await import('./face-stop.ts')).faceStop },
  { ids: ['plan'], load: async () => (await import('./plan-row.ts')).planRow },
  { ids: ['viseme-speed'], load: async () => (await import('./viseme-speed.ts')).visemeSpeed },
  {
    ids: ['musetalk-parity', 'musetalk-parity-faces'],
    load: async () => (await import('./musetalk-parity.ts')).musetalkParity,
  },
  {
    ids: ['musetalk-conversion', 'musetalk-conversion-memory'],
    load: async () => (await import('./musetalk-conversion.ts')).musetalkConversion,
  },
  {
    ids: ['musetalk-gpu', 'musetalk-gpu-first'],
    load: async () => (await import('./musetalk-gpu.ts')).musetalkGpu,
  },
  { ids: ['musetalk-frame'], load: async () => (await import('./musetalk-frame.ts')).musetalkFrame },
  { ids: ['malformed-weights'], load: async () => (await import('./malformed-weights.ts')).malformedWeights },
  { ids: ['av-drift'], load: async () => (await import('./av-drift.ts')).avDrift },
];

export type BenchOptions = { readonly only: string | undefined; readonly json: boolean; readonly list: boolean };

/** Measures; prints a table, or one line of JSON. Exit code 1 when a bar is missed, 2 when there is no such row. */
export async function bench({ only, json, list }: BenchOptions): Promise<number> {
  if (list) {
    process.stdout.write(`${BENCHES.flatMap(({ ids }) => ids).join('\n')}\n`);
    return 0;
  }
  const chosen = BENCHES.filter(({ ids }) => only === undefined || ids.includes(only));
  if (chosen.length === 0) {
    process.stderr.write(`There is no row "${only}"; voice-chat bench --list names them.\n`);
    return 2;
  }
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const rows: Row[] = [];
  for (const { ids, load } of chosen) {
    say(`# ${ids.join(', ')}`);
    const run = await load();
    rows.push(...(await run(say)));
  }
  process.stdout.write(json ? `${JSON.stringify({ rows })}\n` : table(rows));
  return rows.some(({ ok }) => ok === false) ? 1 : 0;
}

const COLUMNS = ['id', 'unit', 'n', 'p50', 'p90', 'p95', 'p99', 'worst', 'value', 'baseline', 'bar', 'ok'] as const;

function table(rows: readonly Row[]): string {
  const used = COLUMNS.filter((column) => rows.some((row) => row[column] !== undefined));
  const cells = [used, ...rows.map((row) => used.map((column) => show(row[column])))];
  const widths = used.map((_, i) => Math.max(...cells.map((line) => line[i]!.length)));
  return `${cells
    .map((line) =>
      line
        .map((cell, i) => cell.padEnd(widths[i]!))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}

const show = (value: string | number | boolean | undefined): string =>
  value === undefined ? '' : value === true ? 'yes' : value === false ? 'NO' : String(value);
