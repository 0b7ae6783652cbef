import { describe, expect, it } from 'vitest';
import { unpickle } from '../../../src/server/weights/pickle.ts';
import { TORCH_WORLD, tensorsIn } from '../../../src/server/weights/torch-pickle.ts';
import { WeightsError } from '../../../src/server/weights/weights.ts';

type Part = string | Uint8Array | readonly Part[];
const bytes = (part: Part): Buffer =>
  typeof part === 'string'
    ? Buffer.from(part, 'latin1')
    : part instanceof Uint8Array
      ? Buffer.from(part)
      : Buffer.concat((part as readonly Part[]).map(bytes));
const word = (value: string) => ['\x8c', Uint8Array.of(Buffer.byteLength(value)), Buffer.from(value)];
const int = (value: number | bigint) => {
  const eight = Buffer.alloc(8);
  eight.writeBigInt64LE(BigInt(value));
  return ['\x8a\x08', eight];
};
const put = (place: number) => ['q', Uint8Array.of(place)];
const get = (place: number) => ['h', Uint8Array.of(place)];
const tuple = (...items: Part[]) => ['(', ...items, 't'];
const storage = (count: Part, type = 'FloatStorage') => [
  ...tuple(word('storage'), `ctorch\n${type}\n`, word('0'), word('cpu'), count),
  'Q',
];
const tensor = (offset: Part, dims: Part, strides: Part, of: Part = storage(int(24))) => [
  'ctorch._utils\n_rebuild_tensor_v2\n',
  tuple(of, offset, dims, strides, '\x89', 'ccollections\nOrderedDict\n)R'),
  'R',
];
const dict = (...items: Part[]) => ['}(', ...items, 'u'];

const run = (...parts: Part[]) => unpickle(bytes(['\x80\x04', ...parts, '.']), 0, TORCH_WORLD, 'a.pth').value;
const tensors = (...parts: Part[]) => tensorsIn(run(...parts), 'a.pth', () => 1000);
const many = (part: string, count: number) => Buffer.alloc(count * part.length, part, 'latin1');

describe('a pickle', () => {
  it('of plain things is what Python means by it', () => {
    expect(run(tuple('N', '\x88', '\x89', 'K\x07', 'M\x01\x02', 'J\xff\xff\xff\xff', 'G\x3f\xf8\0\0\0\0\0\0'))).toEqual(
      [null, true, false, 7, 513, -1, 1.5],
    );
    expect(run(int(-5))).toBe(-5);
    expect(run(int(2n ** 62n))).toBe(2n ** 62n);
    expect(run('\x8a\0')).toBe(0);
    expect(run(word('ä'))).toBe('ä');
    expect(run(dict(word('a'), ']', word('b'), ['](', 'K\x01', 'K\x02', 'e']))).toEqual(
      new Map([
        ['a', []],
        ['b', [1, 2]],
      ]),
    );
    expect(run(['(', 'K\x01', 'K\x02', 'l'], 'K\x03', 'a')).toEqual([1, 2, 3]);
    expect(run('K\x01', '2', '\x86', 'K\x05', '0')).toEqual([1, 1]);
    expect(run('K\x01', '(', 'K\x02', '1')).toBe(1);
    expect(run(word('x'), '\x94', '0', get(0))).toBe('x');
    expect(run('}', word('_metadata'), 'N', 's', dict(word('x'), 'N'), 'b')).toEqual(new Map([['_metadata', null]]));
  });

  it.each([
    ...['posix.system', 'os.system', 'nt.system', 'builtins.eval', 'builtins.exec', 'builtins.getattr'],
    ...['__builtin__.eval', 'subprocess.Popen', 'torch.storage._load_from_bytes', 'torch.jit._load', 'torch.load'],
    ...['collections.defaultdict', 'torch._utils._rebuild_tensor', 'numpy.core.multiarray._reconstruct'],
    ...['torch.nn.modules.linear.Linear', '__main__.constructor', 'torch.__proto__', 'importlib.import_module'],
  ])('that asks for %s is refused by that name', (name) => {
    const [module, last] = [name.slice(0, name.lastIndexOf('.')), name.slice(name.lastIndexOf('.') + 1)];
    const sentence = `asks for ${JSON.stringify(name)}, which may run programs`;
    expect(() => run(`c${module}\n${last}\n`, tuple(word('x')), 'R')).toThrow(sentence);
    expect(() => run(word(module), word(last), '\x93', tuple(word('x')), 'R')).toThrow(sentence);
    expect(() => run(`c${module}\n${last}\n`)).toThrow(WeightsError);
  });

  it.each<[string, Part]>([
    ['INST', '(ios\nsystem\n'],
    ['OBJ', '(N)o'],
    ['NEWOBJ', ['ccollections\nOrderedDict\n', ')\x81']],
    ['NEWOBJ_EX', ['ccollections\nOrderedDict\n', ')}\x92']],
    ...[0x82, 0x83, 0x84].map((one, i): [string, Part] => [`EXT${2 ** i}`, Uint8Array.of(one, 1, 0, 0, 0)]),
    ['PERSID', 'Pstorage\n'],
    ['INT', 'I1\n'],
    ['UNICODE', 'Vx\n'],
    ['SHORT_BINBYTES', 'C\x01x'],
    ['BYTEARRAY8', '\x96\x01\0\0\0\0\0\0\0x'],
    ['NEXT_BUFFER', '\x97'],
    ['EMPTY_SET', '\x8f'],
    ['opcode 0', '\0'],
    ['opcode 255', '\xff'],
  ])('that does what weights do not need is refused by name: %s', (name, part) => {
    expect(() => run(part)).toThrow(WeightsError);
    expect(() => run(part)).toThrow(`does what weights do not need (${name})`);
  });

  it.each<[string, Part, RegExp]>([
    ['calls a kind of storage', ['ctorch\nFloatStorage\n', tuple('K\x05'), 'R'], /REDUCE of/],
    ['calls a list', [']', ')', 'R'], /REDUCE of/],
    ['calls with no tuple', ['ccollections\nOrderedDict\n', 'N', 'R'], /REDUCE of/],
    ['fills a dictionary by calling', ['ccollections\nOrderedDict\n', tuple(']'), 'R'], /REDUCE of/],
    ['makes a tensor of no storage', tensor('K\0', ')', ')', 'N'), /REDUCE of/],
    ['makes a parameter of no tensor', ['ctorch._utils\n_rebuild_parameter\n', tuple('N', 'N', 'N'), 'R'], /REDUCE of/],
    ['builds upon a list', [']', '}', 'b'], /BUILD of/],
    ['builds upon a tensor', [tensor('K\0', ')', ')'), '}', 'b'], /BUILD of/],
    ['builds a dictionary from a tuple', ['}', tuple('N', '}'), 'b'], /BUILD of/],
    ['names something by a list', [']', word('x'), '\x93'], /by no name/],
    ['names a storage by a word', [word('x'), 'Q'], /not known here/],
    ['names a storage of -1 numbers', storage(int(-1)), /not known here/],
    ['takes from an empty stack', '0', /never made/],
    ['takes beyond a mark', ['N', '(', 'a'], /never made/],
    ['has no mark', ['N', 't'], /never made/],
    ['recalls what is not there', get(7), /never made/],
    ['remembers nothing', put(0), /never made/],
    ['has a key twice', dict(word('a'), 'N', word('a'), 'N'), /two entries called "a"/],
    ['has a key without a value', dict(word('a')), /no dictionary/],
    ['sets an item of a list', [']', 'N', 'N', 's'], /no dictionary/],
    ['appends to a dictionary', ['}', 'N', 'a'], /no list/],
    ['has a text of 4 GB', 'X\xff\xff\xff\xffabc', /breaks off/],
    ['has a text of 2^63 bytes', '\x8d\0\0\0\0\0\0\0\x80abc', /breaks off/],
    ['has a number of 2 GB', '\x8b\xff\xff\xff\x7f\x01', /larger than weights need/],
    ['has a name without an end', `cos${'s'.repeat(5_000)}`, /breaks off/],
    ['is of protocol 1', '\x80\x01', /protocol 1/],
  ])('that %s is refused', (_, part, sentence) => {
    expect(() => run(part)).toThrow(WeightsError);
    expect(() => run(part)).toThrow(sentence);
  });

  it('that breaks off anywhere is refused', () => {
    const whole = bytes(['\x80\x02', dict(word('a'), tensor('K\0', tuple(int(4)), tuple(int(1)))), '.']);
    expect(() => unpickle(whole, 0, TORCH_WORLD, 'a.pth')).not.toThrow();
    for (let length = 0; length < whole.length; length++) {
      expect(() => unpickle(whole.subarray(0, length), 0, TORCH_WORLD, 'a.pth')).toThrow(WeightsError);
    }
  });

  it.each<[string, string]>([
    ['lists', ']'],
    ['the same thing again', '2'],
    ['marks', '('],
    ['what it remembers', '\x94'],
    ['large numbers', '\x8a\x01\x05'],
  ])('that goes on making %s is refused', (_, part) => {
    expect(() => run('N', many(part, 1_100_000))).toThrow(/more than weights need/);
  });

  it('has no numbers that a map would have to hash: many can be chosen that meet in one place', () => {
    const named = run(dict(int(7), 'N', int(2n ** 62n), 'N', 'G\x3f\xf8\0\0\0\0\0\0', 'N'));
    expect(named).toEqual(new Map(['7', String(2n ** 62n), '1.5'].map((key) => [key, null])));
    expect(() => run('N', 'r\x3f\x42\x0f\0')).not.toThrow();
    expect(() => run('N', 'r\x40\x42\x0f\0')).toThrow(/remembers more than weights need/);
  });

  it('longer than any real one is refused', () => {
    const text = ['X\0\0\x10\0', Buffer.alloc(2 ** 20), '0'];
    expect(() => run(...Array<Part>(16).fill(text))).toThrow(/longer than weights need/);
    expect(run(...Array<Part>(15).fill(text), 'N')).toBe(null);
  });
});

describe('the tensors of a pickle', () => {
  const good = tensor('K\x02', tuple('K\x03', 'K\x04'), tuple('K\x04', 'K\x01'));

  it('lie where it says', () => {
    expect([...tensors(dict(word('a'), good, word('n'), 'K\x01'))]).toEqual([
      ['a', { type: 'f32', dims: [3, 4], start: 1008 }],
    ]);
    const turned = tensor('K\0', tuple('K\x03', 'K\x04'), tuple('K\x01', 'K\x03'));
    expect(tensors(dict(word('a'), turned)).get('a')).toMatchObject({ strides: [1, 3] });
    // How far apart the entries of an axis of one are does not matter.
    const flat = tensor('K\0', tuple('K\x01', 'K\x04'), tuple('K\x63', 'K\x01'));
    expect(tensors(dict(word('a'), flat)).get('a')).not.toHaveProperty('strides');
  });

  it('are those of inner dictionaries too, which one word may wrap', () => {
    const inner = dict(word('b'), good);
    expect([...tensors(dict(word('a'), inner, 'K\x07', inner)).keys()]).toEqual(['a.b', '7.b']);
    expect([...tensors(dict(word('state_dict'), inner, word('optimizer'), inner)).keys()]).toEqual(['b']);
    expect([...tensors(dict(word('model'), inner)).keys()]).toEqual(['b']);
    expect([...tensors(dict(word('model'), inner, word('own'), good)).keys()]).toEqual(['model.b', 'own']);
  });

  it.each<[string, Part, RegExp]>([
    ['has nine axes', tensor('K\0', tuple(...Array(9).fill('K\x01')), tuple(...Array(9).fill('K\x01'))), /impossible/],
    ['has a negative side', tensor('K\0', tuple(int(-1)), tuple('K\x01')), /impossible sides/],
    ['has a side that is a word', tensor('K\0', tuple(word('x')), tuple('K\x01')), /impossible sides/],
    ['has fewer strides than sides', tensor('K\0', tuple('K\x01', 'K\x01'), tuple('K\x01')), /impossible sides/],
    ['has a negative stride', tensor('K\x17', tuple('K\x02'), tuple(int(-1))), /impossible sides/],
    [
      'has more numbers than can be counted',
      tensor('K\0', tuple(...Array(8).fill(int(2 ** 50))), tuple(...Array(8).fill('K\0'))),
      /impossible/,
    ],
    ['repeats one number', tensor('K\0', tuple(int(1_000_000)), tuple('K\0')), /larger than the storage/],
    ['begins before its storage', tensor(int(-1), ')', ')'), /impossible sides/],
    ['ends behind its storage', tensor('K\x15', tuple('K\x04'), tuple('K\x01')), /larger than the storage/],
    ['strides out of its storage', tensor('K\0', tuple('K\x04'), tuple(int(2 ** 52))), /larger than the storage/],
  ])('of which one %s are refused', (_, one, sentence) => {
    expect(() => tensors(dict(word('a'), one))).toThrow(WeightsError);
    expect(() => tensors(dict(word('a'), one))).toThrow(sentence);
  });

  it('are nothing but a dictionary', () => {
    expect(() => tensors(good)).toThrow(/no dictionary of tensors/);
    expect(() => tensors(']')).toThrow(/no dictionary of tensors/);
  });

  it('with a name twice, or without an end, are refused', () => {
    const twice = dict(word('a.b'), good, word('a'), dict(word('b'), good));
    expect(() => tensors(twice)).toThrow(/two of its tensors are called "a\.b"/);
    const long = ['X\xff\x01\0\0', 'x'.repeat(511)];
    expect(() => tensors(dict(long, good))).toThrow(/called "x{80}…" and longer/);
    // Joined with the names in it, it would take its length again for each of them.
    expect(() => tensors(dict(long, '}'))).toThrow(/called "x{80}…" and longer/);
    expect(() => tensors(dict(word('y'.repeat(250)), dict(word('y'.repeat(250)), '}')))).toThrow(/called "y{80}…"/);
    expect(tensors(dict(long, 'N', word('a'), good)).size).toBe(1);
  });

  it('in a dictionary that holds itself are refused, and a list that does is left out', () => {
    expect(() => tensors('}', put(0), word('a'), get(0), 's')).toThrow(/nested more than 100 deep/);
    expect(tensors('}', word('a'), ']', put(0), get(0), 'a', 's').size).toBe(0);
  });

  it('in dictionaries that hold one another many times over are refused before memory runs out', () => {
    const levels = Array.from({ length: 60 }, (_, i) => [dict(word('a'), get(i), word('b'), get(i)), put(i + 1)]);
    expect(() => tensors(dict(word('a'), good), put(0), ...levels)).toThrow(/more than 100000 tensors/);
    expect(() => tensors('}', put(0), ...levels)).toThrow(/more entries than weights have/);
  });
});
