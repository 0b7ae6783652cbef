import { OnnxGraph, onnxModel } from '../../server/onnx/graph.ts';

/** How a tiny voice sounds: a tone per token, whose pitch is the token's id, so that a wrong id can be heard. */
export type TinySound = {
  readonly rate: number;
  /** Samples of each token at speed 1. */
  readonly tokenSamples: number;
  /** The loudest sample; 0.3 if not given. */
  readonly gain?: number;
  /** Added to every sample. */
  readonly offset?: number;
  /** Kokoro's network tells how long each token lasts, as some exports of it do. */
  readonly durations?: boolean;
};

const BASE_HZ = 150;
const STEP_HZ = 10;

/** The pitch of a token's tone at the first voice. */
export const toneOf = (token: number): number => BASE_HZ + STEP_HZ * token;

class Builder extends OnnxGraph {
  readonly #sound: TinySound;
  constructor(sound: TinySound) {
    super();
    this.#sound = sound;
  }
  float = (value: number) => this.constant({ type: 'f32', dims: [], data: [value] });
  ints = (...data: number[]) => this.constant({ type: 'i64', dims: [data.length], data });
  int = (value: number) => this.constant({ type: 'i64', dims: [], data: [value] });
  cast = (value: string, to: 1 | 7) => this.node('Cast', [value], { attributes: { to: { int: to } } });
  /** Element `at` of a value's elements, as a scalar. */
  pick = (value: string, at: number) =>
    this.node('Gather', [this.node('Reshape', [value, this.ints(-1)]), this.int(at)]);

  /** Samples 0, 1, … as many as the scalar `length` rounds to. */
  range(length: string): string {
    const whole = this.cast(this.node('Round', [length]), 7);
    return this.cast(this.node('Range', [this.int(0), whole, this.int(1)]), 1);
  }
  /** The pitch of each token, as a column. */
  pitches(tokens: string): string {
    const ids = this.cast(this.node('Reshape', [tokens, this.ints(-1, 1)]), 1);
    return this.node('Add', [this.node('Mul', [ids, this.float(STEP_HZ)]), this.float(BASE_HZ)]);
  }
  /** Tones of these pitches (a column), each as long as `times`, one after another. */
  tones(pitches: string, times: string, gain?: string): string {
    const { rate, offset = 0 } = this.#sound;
    const cycles = this.node('Mul', [pitches, this.node('Mul', [times, this.float((2 * Math.PI) / rate)])]);
    const loud = this.float(this.#sound.gain ?? 0.3);
    const wave = this.node('Mul', [this.node('Sin', [cycles]), gain ? this.node('Mul', [loud, gain]) : loud]);
    return this.node('Reshape', [this.node('Add', [wave, this.float(offset)]), this.ints(-1)]);
  }
}

/** A Piper voice's network: `input`, `input_lengths`, `scales` and, with several speakers, `sid`; gives `output`. */
export function vitsModel(sound: TinySound, speakers: number): Uint8Array {
  const g = new Builder(sound);
  const tokens = g.input('input', 'i64', ['batch_size', 'phonemes']);
  g.input('input_lengths', 'i64', ['batch_size']);
  const scales = g.input('scales', 'f32', [3]);
  const sid = speakers > 1 ? g.input('sid', 'i64', ['batch_size']) : undefined;
  const length = g.node('Mul', [g.pick(scales, 1), g.float(sound.tokenSamples)]);
  const lifted = sid ? g.node('Mul', [g.pitches(tokens), voicePitch(g, g.cast(g.pick(sid, 0), 1))]) : g.pitches(tokens);
  const speech = g.tones(lifted, g.range(length));
  g.node('Reshape', [speech, g.ints(1, 1, 1, -1)], { outputs: ['output'] });
  g.output('output', 'f32', ['batch_size', 1, 1, 'time']);
  return onnxModel(g, {
    metadata: {
      model_type: 'vits',
      comment: 'piper',
      language: 'English',
      voice: 'en-us',
      has_espeak: 1,
      n_speakers: speakers,
      sample_rate: sound.rate,
    },
  });
}

const voicePitch = (g: Builder, voice: string) => g.node('Add', [g.node('Mul', [voice, g.float(0.25)]), g.float(1)]);

/** Rows of a `voices.bin` as Kokoro and Kitten have it; the first number lifts the voice, the second is the row's own. */
export function voicesFile(voices: number, rows: number): Float32Array {
  const data = new Float32Array(voices * rows * 256);
  for (let row = 0; row < voices * rows; row++) data.set([0.25 * Math.floor(row / rows), row % rows], row * 256);
  return data;
}

/** Kokoro's network: `tokens`, `style` and `speed`; is silent where the style is not the row for as many tokens. */
export function kokoroModel(sound: TinySound, metadata: Readonly<Record<string, string | number>>): Uint8Array {
  const g = new Builder(sound);
  const tokens = g.input('tokens', 'i64', [1, 'sequence_length']);
  const count = g.node('Sub', [g.node('Size', [tokens]), g.int(2)]);
  if (sound.durations) {
    const flat = g.node('Reshape', [tokens, g.ints(-1)]);
    g.node('Add', [g.node('Mul', [flat, g.int(0)]), g.int(3)], { outputs: ['durations'] });
    g.output('durations', 'i64', ['sequence_length']);
  }
  return styled(g, sound, tokens, 'audio', metadata, (style) =>
    g.cast(g.node('Equal', [g.cast(g.pick(style, 1), 7), count]), 1),
  );
}

/** Kitten's network: `input_ids`, `style` and `speed`; gives `waveform`. */
export function kittenModel(sound: TinySound, metadata: Readonly<Record<string, string | number>>): Uint8Array {
  const g = new Builder(sound);
  return styled(g, sound, g.input('input_ids', 'i64', [1, 'sequence_length']), 'waveform', metadata);
}

function styled(
  g: Builder,
  sound: TinySound,
  tokens: string,
  output: string,
  metadata: Readonly<Record<string, string | number>>,
  gain?: (style: string) => string,
): Uint8Array {
  const style = g.input('style', 'f32', [1, 256]);
  const speed = g.input('speed', 'f32', [1]);
  const length = g.node('Div', [g.float(sound.tokenSamples), g.pick(speed, 0)]);
  const lifted = g.node('Mul', [g.pitches(tokens), g.node('Add', [g.pick(style, 0), g.float(1)])]);
  g.node('Identity', [g.tones(lifted, g.range(length), gain?.(style))], { outputs: [output] });
  g.output(output, 'f32', ['audio_length']);
  return onnxModel(g, { metadata: { sample_rate: sound.rate, has_espeak: 1, voice: 'en-us', ...metadata } });
}

const HOP = 256;
const BANDS = 80;

/** Matcha's acoustic network: `x`, `x_length`, `noise_scale`, `length_scale`; gives the spectrogram `mel`. */
export function matchaModel(sound: TinySound): Uint8Array {
  const g = new Builder(sound);
  const tokens = g.input('x', 'i64', ['N', 'L']);
  g.input('x_length', 'i64', ['N']);
  g.input('noise_scale', 'f32', [1]);
  const scale = g.input('length_scale', 'f32', [1]);
  const times = g.range(g.node('Mul', [g.pick(scale, 0), g.float(sound.tokenSamples / HOP)]));
  const frames = g.node('Add', [g.pitches(tokens), g.node('Mul', [times, g.float(0)])]);
  const row = g.node('Reshape', [frames, g.ints(1, 1, -1)]);
  g.node('Expand', [row, g.ints(1, BANDS, 1)], { outputs: ['mel'] });
  g.output('mel', 'f32', ['N', BANDS, 'T']);
  return onnxModel(g, {
    metadata: {
      model_type: 'matcha-tts',
      language: 'English',
      voice: 'en-us',
      has_espeak: 1,
      jieba: 0,
      n_speakers: 1,
      sample_rate: sound.rate,
      version: 1,
      pad_id: 0,
      use_eos_bos: 1,
      num_ode_steps: 3,
    },
  });
}

/** The vocoder beside it, of HiFi-GAN's shape: `mel` to `audio`, 256 samples per frame. */
export function vocoderModel(sound: TinySound): Uint8Array {
  const g = new Builder(sound);
  const mel = g.input('mel', 'f32', ['N', BANDS, 'T']);
  const band = g.node('Slice', [mel, g.ints(0), g.ints(1), g.ints(1)]);
  const speech = g.tones(g.node('Reshape', [band, g.ints(-1, 1)]), g.range(g.float(HOP)));
  g.node('Reshape', [speech, g.ints(1, 1, -1)], { outputs: ['audio'] });
  g.output('audio', 'f32', ['N', 1, 'samples']);
  return onnxModel(g, { metadata: { model_type: 'hifigan', sample_rate: sound.rate } });
}
