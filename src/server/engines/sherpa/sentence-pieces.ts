/** A piece of words, with the logarithm of how likely it is. */
export type SentencePiece = { readonly piece: string; readonly score: number };

/**
 * The pieces in a SentencePiece model file, in the order of their numbers. Field numbers are those of sentencepiece_model.proto:
 * ModelProto.pieces = 1, SentencePiece.piece = 1, SentencePiece.score = 2.
 */
export function sentencePieces(model: Buffer): SentencePiece[] {
  return fields(model)
    .filter(({ field, bytes }) => field === 1 && bytes)
    .map(({ bytes }) => {
      const parts = fields(bytes!);
      const piece = parts.find(({ field }) => field === 1)?.bytes?.toString('utf8') ?? '';
      const score = parts.find(({ field }) => field === 2)?.float ?? 0;
      return { piece, score };
    });
}

type Field = { readonly field: number; readonly bytes?: Buffer; readonly float?: number };

function fields(message: Buffer): Field[] {
  const found: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = message[at++];
      if (byte === undefined) throw new Error('The file ends in the middle of a field; it is no SentencePiece model.');
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  };
  while (at < message.length) {
    const key = varint();
    const field = Math.floor(key / 8);
    const kind = key % 8;
    if (kind === 0) {
      varint();
      found.push({ field });
    } else if (kind === 1) at += 8;
    else if (kind === 5) {
      found.push({ field, float: message.readFloatLE(at) });
      at += 4;
    } else if (kind === 2) {
      const length = varint();
      found.push({ field, bytes: message.subarray(at, (at += length)) });
    } else throw new Error('This is no SentencePiece model.');
  }
  return found;
}
