import { createRequire } from 'node:module';

/** What is used of a native package of `@fugood/whisper.node`; `transcribeData` takes 16 kHz mono as 16-bit numbers. */
export type WhisperContext = {
  transcribeData(pcm: ArrayBuffer, options: object): { readonly promise: Promise<{ readonly result: string }> };
  release(): Promise<void>;
};
export type WhisperPackage = {
  readonly WhisperContext: {
    new (options: { filePath: string; useGpu: boolean }): WhisperContext;
    toggleNativeLog(enable: boolean, listener?: (level: string, text: string) => void): void;
  };
};

/** The builds there are: `default` computes on the CPU (on a Mac with Metal). */
export type Variant = 'cuda' | 'vulkan' | 'default';

/**
 * Loads one build; throws when it is not installed or its libraries are not here. The package's own loader would take another build
 * instead, with no more than a warning.
 */
export function loadWhisper(variant: Variant): WhisperPackage {
  const require = createRequire(import.meta.url);
  const inPackage = createRequire(require.resolve('@fugood/whisper.node'));
  const suffix = variant === 'default' ? '' : `-${variant}`;
  return inPackage(`@fugood/node-whisper-${process.platform}-${process.arch}${suffix}`);
}
