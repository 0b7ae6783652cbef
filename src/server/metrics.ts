import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Turn, TurnOutcome } from './conversation/turn.ts';

const LAG_RESOLUTION_MS = 5;
const SECONDS = [0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 10];
const CLIP_SECONDS = [1, 2, 5, 10, 20, 30, 60, 120, 300, 600];

/** What is counted of clips, where there are any. */
export type ClipMetrics = {
  readonly clips: Counter;
  readonly pieces: Counter;
  readonly bytes: Counter;
  readonly startSeconds: Histogram;
  readonly seconds: Histogram;
};

/** What the server counts, in Prometheus' text format. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #lag: IntervalHistogram = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
  readonly sessions = this.#counter('sessions_total', 'Sessions by what became of them', ['outcome']);
  readonly rejected = this.#counter('rejected_total', 'Requests refused, by reason', ['reason']);
  readonly closed = this.#counter('ws_closed_total', 'Sockets closed, by code', ['code']);
  readonly engineErrors = this.#counter('engine_errors_total', 'Engine errors told to users, by stage', ['stage']);
  readonly framesIn = this.#counter('mic_frames_total', 'Microphone frames taken', []);
  readonly framesLost = this.#counter(
    'mic_frames_lost_total',
    'Gaps in the numbering of microphone frames that came',
    [],
  );
  #ofClips: ClipMetrics | undefined;
  readonly #turns = this.#counter('turns_total', 'Turns by outcome', ['outcome']);
  readonly #latency = this.#histogram('turn_latency_seconds', "End of the user's speech to the first reply audio", []);
  readonly #stages = this.#histogram('stage_seconds', 'Parts of the latency of a turn', ['stage']);

  /** `live` is asked at every scrape. */
  constructor(live: {
    sessions: () => number;
    backlog: () => { waiting: number; dropped: number };
    engines: () => readonly { stage: string; up: boolean; restarts: number }[];
  }) {
    this.#lag.enable();
    const gauge = (name: string, help: string, labelNames: string[], collect: (gauge: Gauge) => void) => {
      new Gauge({
        name: `voicechat_${name}`,
        help,
        labelNames,
        registers: [this.#registry],
        collect() {
          collect(this);
        },
      });
    };
    gauge('sessions_active', 'Sessions open now', [], (it) => it.set(live.sessions()));
    gauge('mic_frames_waiting', 'Microphone frames that wait for the voice detector', [], (it) => {
      it.set(live.backlog().waiting);
    });
    gauge('mic_frames_dropped', 'Frames of open sessions that the voice detector never got', [], (it) => {
      it.set(live.backlog().dropped);
    });
    gauge('engine_up', 'Whether the engine of a stage serves calls', ['stage'], (it) => {
      for (const { stage, up } of live.engines()) it.set({ stage }, up ? 1 : 0);
    });
    gauge('engine_restarts', 'How often the engine of a stage was replaced', ['stage'], (it) => {
      for (const { stage, restarts } of live.engines()) it.set({ stage }, restarts);
    });
    gauge('eventloop_lag_p99_seconds', "99th percentile of the event loop's delay since the last scrape", [], (it) => {
      // The monitor measures the time between its own ticks, so their interval comes off.
      it.set(Math.max(0, this.#lag.percentile(99) / 1e9 - LAG_RESOLUTION_MS / 1000));
      this.#lag.reset();
    });
  }

  /** What is counted of clips; the page for Prometheus has it from the first call on. */
  get ofClips(): ClipMetrics {
    this.#ofClips ??= {
      clips: this.#counter('clips_total', 'Clips of replies by what became of them', ['result']),
      pieces: this.#counter('clip_pieces_total', 'Pieces of clips sent over sockets', []),
      bytes: this.#counter('clip_bytes_total', 'Bytes of clips sent over sockets', []),
      startSeconds: this.#histogram('clip_start_seconds', "A reply's first audio to its clip's first bytes", []),
      seconds: this.#histogram('clip_seconds', "A reply's first audio to its clip's end", [], CLIP_SECONDS),
    };
    return this.#ofClips;
  }

  /** Counts a turn that is over. */
  turnOver(turn: Turn, outcome: TurnOutcome): void {
    this.#turns.inc({ outcome });
    const { voiceToVoiceMs, endpointMs, asrMs, llmMs, phraseMs, ttsMs } = turn.metrics();
    if (voiceToVoiceMs !== undefined) this.#latency.observe(voiceToVoiceMs / 1000);
    for (const [stage, ms] of Object.entries({
      endpoint: endpointMs,
      asr: asrMs,
      llm: llmMs,
      phrase: phraseMs,
      tts: ttsMs,
    })) {
      if (ms !== undefined) this.#stages.observe({ stage }, ms / 1000);
    }
  }

  /** The page for Prometheus. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  /** Stops measuring. */
  close(): void {
    this.#lag.disable();
  }

  #counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name: `voicechat_${name}`, help, labelNames, registers: [this.#registry] });
  }

  #histogram(name: string, help: string, labelNames: string[], buckets = SECONDS): Histogram {
    return new Histogram({
      name: `voicechat_${name}`,
      help,
      labelNames,
      buckets,
      registers: [this.#registry],
    });
  }
}
