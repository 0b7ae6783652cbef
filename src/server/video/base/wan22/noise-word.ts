const HIGH = /high[ _.-]?noise|(?:^|[ _.-])high(?:$|[ _.-])/i;
const LOW = /low[ _.-]?noise|(?:^|[ _.-])low(?:$|[ _.-])/i;

/** Which expert a file says that it is for: by its name, else by what its metadata says; `both` where it says both. */
export function noiseWord(
  name: string,
  metadata: Readonly<Record<string, string>>,
): 'high_noise' | 'low_noise' | 'both' | undefined {
  const named = wordIn([name]);
  const described = wordIn(Object.values(metadata));
  // Metadata often names both files of a pair; a plain contradiction counts.
  if (named !== undefined && described !== undefined && described !== 'both' && named !== described) return described;
  return named ?? (described === 'both' ? undefined : described);
}

function wordIn(texts: readonly string[]): 'high_noise' | 'low_noise' | 'both' | undefined {
  const high = texts.some((text) => HIGH.test(text));
  const low = texts.some((text) => LOW.test(text));
  if (high && low) return 'both';
  return high ? 'high_noise' : low ? 'low_noise' : undefined;
}

/** Whether a tensor belongs to one of the 40 blocks of a Wan network of 14 billion weights; LightX2V drops these prefixes. */
export function isWanBlock(name: string): boolean {
  const block =
    /^(?:diffusion_model\.|model\.|unet\.)?blocks\.(\d+)\.(?:self_attn|cross_attn|ffn|modulation|norm)/.exec(name);
  return block !== null && Number(block[1]) < 40;
}
