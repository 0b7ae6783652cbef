/** The outermost boxes of an MP4 that are there as a whole. */
export function boxes(mp4: Buffer): { type: string; size: number }[] {
  const found: { type: string; size: number }[] = [];
  for (let at = 0; at + 8 <= mp4.length; ) {
    const short = mp4.readUInt32BE(at);
    const size = short === 1 ? Number(mp4.readBigUInt64BE(at + 8)) : short;
    if (size < 8 || at + size > mp4.length) break;
    found.push({ type: mp4.toString('latin1', at + 4, at + 8), size });
    at += size;
  }
  return found;
}

/** How long each track of a whole MP4 is, in seconds, as its media header (`mdhd`, version 0) says. */
export function trackSeconds(mp4: Buffer): number[] {
  const found: number[] = [];
  for (let at = mp4.indexOf('mdhd', 0, 'latin1'); at >= 0; at = mp4.indexOf('mdhd', at + 4, 'latin1')) {
    found.push(mp4.readUInt32BE(at + 20) / mp4.readUInt32BE(at + 16));
  }
  return found;
}
