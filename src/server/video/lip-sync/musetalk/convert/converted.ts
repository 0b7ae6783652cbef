import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { VideoError } from '../../../contracts.ts';

/** Raised whenever another converter would make other files of the same sources. */
export const CONVERTER = 1;

/** The published files, by their paths. */
export type Sources = {
  readonly unet: string;
  readonly unetConfig: string;
  readonly vae: string;
  readonly vaeConfig: string;
  readonly whisper: string;
  readonly whisperConfig: string;
  readonly parser: string;
  readonly pose: string;
};

/** The names of all of them. */
export const SOURCES: readonly (keyof Sources)[] = [
  'unet',
  'unetConfig',
  'vae',
  'vaeConfig',
  'whisper',
  'whisperConfig',
  'parser',
  'pose',
];

/** What tells one version of a published file from another. */
export type SourceFacts = { readonly bytes: number; readonly modifiedMs: number };

/** What a converted file has to be. */
export type FileFacts = { readonly bytes: number; readonly sha256: string };

/** How far the painted faces of two computations lie apart, in levels of 0 to 255. */
export type Difference = { readonly mean: number; readonly max: number };

/** What `convert` made, as `converted.json` in its folder says. */
export type Converted = {
  /** Changes whenever the networks may compute something else; part of cache keys. */
  readonly version: string;
  readonly folder: string;
  /** Numbers of one hidden state of whisper. */
  readonly width: number;
  /** Of the weights of the network that paints frames, on the disk and on a card. */
  readonly weightBytes: number;
  /** The most memory that painting one frame on the CPU took when it was tried, in bytes; the program itself included. */
  readonly cpuBytes: number;
  /** 16-bit against 32-bit frames, and the small stored networks against their stored results. */
  readonly parity: { readonly half: Difference; readonly reference: Readonly<Record<string, number>> };
  readonly sources: Readonly<Record<keyof Sources, SourceFacts>>;
  /** All that lies beside `converted.json`. */
  readonly files: Readonly<Record<string, FileFacts>>;
};

/** The graphs in a converted folder. */
export const GRAPHS = ['speech', 'face', 'parser', 'pose', 'frame-f16', 'frame-f32', 'trial-f16', 'trial-f32'] as const;
export type GraphName = (typeof GRAPHS)[number];

/** Where a graph lies. */
export const graphFile = (folder: string, name: GraphName): string => join(folder, `${name}.onnx`);

/** Where a converted folder says what it is. */
export const factsFile = (folder: string): string => join(folder, 'converted.json');

/**
 * What `folder` holds; undefined where nothing was converted into it by this version of the converter, or where a file of it is
 * gone or has another size.
 */
export async function readConverted(folder: string): Promise<Converted | undefined> {
  return readFacts(folder);
}

/** As `readConverted`, at once; throws a `VideoError` where there is nothing. */
export function converted(folder: string): Converted {
  const facts = readFacts(folder);
  if (!facts) throw new VideoError('MuseTalk’s networks are not on this disk; run voice-chat models pull musetalk.');
  return facts;
}

/** As the file has it. */
type Kept = Omit<Converted, 'folder'> & { readonly converter: number };

function readFacts(folder: string): Converted | undefined {
  try {
    const { converter, ...facts } = JSON.parse(readFileSync(factsFile(folder), 'utf8')) as Kept;
    const isWhole = Object.entries(facts.files).every(
      ([name, { bytes }]) => statSync(join(folder, name)).size === bytes,
    );
    return converter === CONVERTER && isWhole ? { ...facts, folder } : undefined;
  } catch {
    return undefined;
  }
}
