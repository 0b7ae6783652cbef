import { VIDEO_FPS, VideoError } from '../contracts.ts';
import { type FfmpegProgram, runFfmpeg } from './ffmpeg-process.ts';

/** An H.264 encoder of ffmpeg and how it is told what is wanted. */
export type Encoder = {
  readonly name: string;
  /** While a reply is spoken: each frame comes out as soon as it went in. */
  readonly live: readonly string[];
  /** For base clips, which are made once and seen often. */
  readonly careful: readonly string[];
};

/** In the order in which they are tried. Any of them may be listed by an ffmpeg whose driver or library is missing. */
const ENCODERS: readonly Encoder[] = [
  {
    name: 'h264_nvenc',
    live: ['-preset', 'p3', '-tune', 'ull', '-rc', 'vbr', '-cq', '24', '-b:v', '0', '-bf', '0', '-delay', '0'],
    careful: ['-preset', 'p6', '-tune', 'hq', '-rc', 'vbr', '-cq', '19', '-b:v', '0', '-bf', '0'],
  },
  {
    name: 'libx264',
    live: ['-preset', 'veryfast', '-tune', 'zerolatency', '-crf', '23', '-bf', '0'],
    careful: ['-preset', 'fast', '-crf', '18', '-bf', '0'],
  },
  { name: 'libopenh264', live: ['-b:v', '1500k', '-bf', '0'], careful: ['-b:v', '4000k', '-bf', '0'] },
  {
    name: 'h264_videotoolbox',
    live: ['-realtime', '1', '-b:v', '1500k', '-bf', '0'],
    careful: ['-b:v', '4000k', '-bf', '0'],
  },
  { name: 'h264_mf', live: ['-b:v', '1500k'], careful: ['-b:v', '4000k'] },
];

/** Key frames come twice a second, so that a seek is quick. */
const KEY_FRAMES = ['-g', String(Math.floor(VIDEO_FPS / 2))];

const TO_VIDEO =
  'scale=flags=accurate_rnd+full_chroma_int:in_range=full:out_range=tv:out_color_matrix=bt709,format=yuv420p';

/** What turns RGB pictures, after `filters`, into H.264 whose colours a browser shows as they were. */
export const videoOutput = (encoder: Encoder, how: 'live' | 'careful', filters: readonly string[] = []): string[] => [
  ...['-vf', [...filters, TO_VIDEO].join(',')],
  ...['-color_range', 'tv', '-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709'],
  ...['-c:v', encoder.name, ...encoder[how], ...KEY_FRAMES],
];

/** What every input needs so that ffmpeg opens it at once and never waits for one while the other is full. */
const EAGER = ['-probesize', '32', '-analyzeduration', '0'];

/** Pictures, RGB with 3 bytes per pixel, from `pipe`. */
export const videoInput = (width: number, height: number, pipe: number): string[] => [
  ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-video_size', `${width}x${height}`, '-framerate', String(VIDEO_FPS)],
  ...[...EAGER, '-thread_queue_size', '8', '-i', `pipe:${pipe}`],
];

/** Sound, 16 bits mono, from `pipe`. */
export const soundInput = (rate: number, pipe: number): string[] => [
  ...['-f', 's16le', '-ar', String(rate), '-ac', '1'],
  ...[...EAGER, '-thread_queue_size', '1024', '-i', `pipe:${pipe}`],
];

/** The first encoder that makes a picture here, and its MP4 codec string, `avc1.64001E`, say. */
export async function chooseEncoder(
  program: FfmpegProgram,
  signal: AbortSignal,
): Promise<{ encoder: Encoder; codec: string }> {
  for (const encoder of ENCODERS) {
    const trial = ['-f', 'lavfi', '-i', `color=c=gray:s=512x512:r=${VIDEO_FPS}`, '-frames:v', '1'];
    const output = ['-f', 'mp4', '-movflags', 'frag_keyframe+empty_moov', 'pipe:1'];
    const made = await runFfmpeg(program, [...trial, ...videoOutput(encoder, 'live'), ...output], signal).catch(
      () => undefined,
    );
    signal.throwIfAborted();
    const codec = made && codecOf(made);
    if (codec) return { encoder, codec };
  }
  const names = ENCODERS.map(({ name }) => name).join(', ');
  throw new VideoError(
    `The ffmpeg that is installed has no working H.264 encoder (${names} were tried); install one that was built with libx264, as Debian's is.`,
  );
}

/** Profile, constraints and level as the sample description has them. */
function codecOf(mp4: Buffer): string | undefined {
  const at = mp4.indexOf('avcC', 0, 'latin1');
  if (at < 0 || at + 8 > mp4.length) return undefined;
  return `avc1.${mp4.toString('hex', at + 5, at + 8).toUpperCase()}`;
}
