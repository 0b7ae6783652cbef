/** The kinds of numbers that can be written, and what PyTorch and safetensors call them. */
export const WRITTEN = {
  f64: { bytes: 8, torch: 'DoubleStorage', safetensors: 'F64' },
  f32: { bytes: 4, torch: 'FloatStorage', safetensors: 'F32' },
  f16: { bytes: 2, torch: 'HalfStorage', safetensors: 'F16' },
  bf16: { bytes: 2, torch: 'BFloat16Storage', safetensors: 'BF16' },
} as const;

type Named = { readonly name: string; readonly dims: readonly number[]; readonly type?: keyof typeof WRITTEN };

const PROTOCOL_2 = Uint8Array.of(0x80, 2);
const STOP = '.';
const ORDERED_DICT = 'ccollections\nOrderedDict\n)R';

/**
 * The pickle with which a PyTorch file begins: a dictionary of tensors, each on a storage of its own, called `0`, `1` and so on;
 * inside a dictionary of its own where `wrapped` says under which word.
 */
export function tensorsPickle(tensors: readonly Named[], legacy: boolean, wrapped?: string): Buffer {
  const parts: (string | Uint8Array)[] = [];
  if (wrapped !== undefined) parts.push('}', text(wrapped));
  parts.push(ORDERED_DICT, '(');
  for (const [i, { name, dims, type = 'f32' }] of tensors.entries()) {
    const count = dims.reduce((product, dim) => product * dim, 1);
    const strides = dims.map((_, at) => dims.slice(at + 1).reduce((product, dim) => product * dim, 1));
    parts.push(
      ...[text(name), 'ctorch._utils\n_rebuild_tensor_v2\n', '(', '(', text('storage')],
      ...[`ctorch\n${WRITTEN[type].torch}\n`, text(`${i}`), text('cpu'), int(count), legacy ? 'N' : '', 't', 'Q'],
      ...[int(0), '(', ...dims.map(int), 't', '(', ...strides.map(int), 't', '\x89', ORDERED_DICT, 't', 'R'],
    );
  }
  parts.push('u', wrapped === undefined ? '' : 's');
  return pickle(...parts);
}

/** What stands before the tensors' pickle in a file of PyTorch before 1.6: a magic number, a version, and the machine's ways. */
export const legacyPreface = (): Buffer =>
  Buffer.concat([
    pickle('\x8a\x0a', Buffer.from('6cfc9c46f9206aa85019', 'hex')),
    pickle(int(1001)),
    pickle(
      ...['}(', text('protocol_version'), int(1001), text('little_endian'), '\x88', text('type_sizes')],
      ...['}(', text('short'), int(2), text('int'), int(4), text('long'), int(4), 'u', 'u'],
    ),
  ]);

/** What follows the tensors' pickle there: the storages' names, in the order in which they come. */
export const legacyKeys = (count: number): Buffer =>
  pickle(']', '(', ...Array.from({ length: count }, (_, i) => text(`${i}`)), 'e');

function pickle(...parts: readonly (string | Uint8Array)[]): Buffer {
  const bytes = parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  return Buffer.concat([PROTOCOL_2, ...bytes, Buffer.from(STOP)]);
}

function text(value: string): Uint8Array {
  const utf8 = Buffer.from(value, 'utf8');
  const length = Buffer.alloc(4);
  length.writeUInt32LE(utf8.length);
  return Buffer.concat([Buffer.from('X'), length, utf8]);
}

function int(value: number): Uint8Array {
  const bytes = Buffer.alloc(10);
  if (value < 256) return Buffer.from([0x4b, value]);
  if (value < 2 ** 31) {
    bytes.write('J');
    bytes.writeInt32LE(value, 1);
    return bytes.subarray(0, 5);
  }
  bytes.set([0x8a, 8]);
  bytes.writeBigInt64LE(BigInt(value), 2);
  return bytes;
}
