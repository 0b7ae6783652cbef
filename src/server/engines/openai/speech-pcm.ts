import type { Pcm } from '../../../protocol/pcm.ts';
import { soundSample } from '../../../protocol/pcm.ts';
import { detailOf } from '../../other-servers/detail-of.ts';
import { EngineError } from '../contracts.ts';
import { ByteReader } from './byte-reader.ts';
import { watched } from './bytes.ts';
import type { Deadline } from './deadline.ts';

/** What OpenAI's `pcm` is: 24 kHz, 16 bits, one channel, no header. */
const USUAL_RATE = 24_000;
const MOST_HEADER_BYTES = 65_536;

type Format = { readonly rate: number; readonly channels: number; readonly float: boolean; readonly bytes: number };

/**
 * The speech in a server's answer as it comes, mono: bare 16-bit PCM, or a WAV file (16-bit or float) of any rate. Anything else is an
 * `EngineError` that names the fix.
 */
export async function* speechPcm(
  response: Response,
  baseUrl: string,
  secrets: readonly string[],
  stall: Deadline,
): AsyncGenerator<Pcm, void, undefined> {
  const at = `The speech synthesis server at ${baseUrl}`;
  const type = response.headers.get('content-type') ?? '';
  if (/json|html|text\//i.test(type)) {
    const detail = detailOf(await response.text(), secrets);
    throw new EngineError(
      'tts',
      `${at} sent no sound but ${type.split(';')[0]}${detail}. Check that tts.baseUrl is its OpenAI-compatible address.`,
    );
  }
  if (!response.body) return;
  const reader = new ByteReader(watched(response.body, stall));
  const start = await reader.peek(12);
  const other = compressed(start, type);
  if (other) {
    throw new EngineError(
      'tts',
      `${at} sends ${other}, though PCM was asked for. Use a server or model that knows response_format pcm or wav.`,
    );
  }
  const isWav = ascii(start, 0, 4) === 'RIFF' && ascii(start, 8, 12) === 'WAVE';
  const format = isWav ? await wavFormat(reader) : { ...bareFormat(type), length: Number.POSITIVE_INFINITY };
  if (!format) {
    throw new EngineError(
      'tts',
      `${at} sends a WAV file that is neither 16-bit PCM nor float. Use a server that sends one of them.`,
    );
  }
  for await (const bytes of reader.groups(format.bytes * format.channels, format.length)) {
    yield { rate: format.rate, samples: monoOf(bytes, format) };
  }
}

function bareFormat(type: string): Format {
  const rate = Number(/rate=(\d+)/i.exec(type)?.[1]);
  return { rate: rate >= 4_000 && rate <= 192_000 ? rate : USUAL_RATE, channels: 1, float: false, bytes: 2 };
}

/** The name of a format that would have to be decoded; undefined for what may be PCM. */
function compressed(start: Uint8Array, type: string): string | undefined {
  const tag = ascii(start, 0, 4);
  if (tag === 'OggS') return 'Ogg';
  if (tag === 'fLaC') return 'FLAC';
  if (tag.startsWith('ID3')) return 'MP3';
  // A frame of MPEG audio, layer III. The first sample of PCM could look like it, if it were far from silence.
  const [first = 0, second = 0, third = 0] = start;
  const isFrame = first === 0xff && (second & 0xe6) === 0xe2 && third >> 4 !== 0xf && third >> 4 !== 0;
  if (isFrame) return 'MP3';
  if (first === 0xff && (second & 0xf6) === 0xf0 && /aac/i.test(type)) return 'AAC';
  return undefined;
}

/** Reads a WAV header up to its sound; undefined for a format that is not taken. */
async function wavFormat(reader: ByteReader): Promise<(Format & { length: number }) | undefined> {
  await reader.take(12);
  let format: Format | undefined;
  for (let read = 0; read < MOST_HEADER_BYTES; ) {
    const head = await reader.take(8);
    if (head.length < 8) return undefined;
    const name = ascii(head, 0, 4);
    const length = viewOf(head).getUint32(4, true);
    if (name === 'data') {
      // A file that is streamed does not know its length.
      const isKnown = length > 0 && length < 0x7fff_f000;
      return format && { ...format, length: isKnown ? length : Number.POSITIVE_INFINITY };
    }
    if (length > MOST_HEADER_BYTES) return undefined;
    const body = await reader.take(length + (length % 2));
    read += 8 + body.length;
    if (name === 'fmt ') format = formatOf(body);
    if (name === 'fmt ' && !format) return undefined;
  }
  return undefined;
}

function formatOf(body: Uint8Array): Format | undefined {
  if (body.length < 16) return undefined;
  const view = viewOf(body);
  const code = view.getUint16(0, true);
  const kind = code === 0xfffe && body.length >= 26 ? view.getUint16(24, true) : code;
  const channels = view.getUint16(2, true);
  const rate = view.getUint32(4, true);
  const bits = view.getUint16(14, true);
  const known = (kind === 1 && bits === 16) || (kind === 3 && bits === 32);
  if (!known || channels < 1 || channels > 8 || rate < 4_000 || rate > 192_000) return undefined;
  return { rate, channels, float: kind === 3, bytes: bits / 8 };
}

function monoOf(bytes: Uint8Array, { channels, float, bytes: size }: Format): Float32Array {
  const view = viewOf(bytes);
  const samples = new Float32Array(bytes.length / (size * channels));
  for (let i = 0; i < samples.length; i++) {
    let sum = 0;
    for (let c = 0; c < channels; c++) {
      const at = (i * channels + c) * size;
      sum += float ? view.getFloat32(at, true) : view.getInt16(at, true) / 32_768;
    }
    samples[i] = soundSample(sum / channels);
  }
  return samples;
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to));
