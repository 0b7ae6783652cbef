import { damaged, quoted, refused } from './file-errors.ts';
import { pickleInput } from './pickle-input.ts';
import { PICKLE_OPCODES } from './pickle-opcodes.ts';

/** What a pickle makes here: plain data; lists and tuples are arrays, dictionaries are maps whose numbers as keys are words. */
export type Pickled = null | boolean | number | bigint | string | PickledList | PickledDict | PickledObject;
export interface PickledList extends Array<Pickled> {}
export interface PickledDict extends Map<Pickled, Pickled> {}
/** Something that the pickle's world knows, told apart by its kind. */
export interface PickledObject {
  readonly kind: string;
}

/** All that a pickle may name. */
export type PickleWorld = {
  /** By module and name, such as `collections.OrderedDict`. */
  readonly globals: ReadonlyMap<string, PickledObject>;
  /** What calling one of them gives; undefined where it cannot be called so. */
  call(callee: PickledObject, args: PickledList): Pickled | undefined;
  /** What an id stands for that the pickle's writer gave to something outside of it; undefined where it is none. */
  persistent(id: Pickled): Pickled | undefined;
};

/** A pickle of a hundred thousand tensors has about this many bytes. */
export const MOST_PICKLE_BYTES = 16_000_000;
/** Lists, tuples, dictionaries and large numbers that it may make, and entries that its stack and memo may have. */
const MOST_THINGS = 1_000_000;

/**
 * Runs the pickle that begins at `start` (protocols 2 to 5, the opcodes of Python's pickletools) and tells where it ends. It runs
 * nothing else: a name that the world does not know, and every way of making an object but calling one that it knows, is a
 * `WeightsError` that names it.
 */
export function unpickle(
  bytes: Buffer,
  start: number,
  world: PickleWorld,
  file: string,
): { readonly value: Pickled; readonly end: number } {
  const stack: Pickled[] = [];
  const marks: number[] = [];
  const memo = new Map<number, Pickled>();
  let things = 0;
  const broken = (what: string) => damaged(file, `its pickle ${what}`);
  const needless = (what: string) => refused(file, `its pickle does what weights do not need (${what})`);

  const input = pickleInput(bytes, start, broken);
  const { take, u8, u16, i32, u32, u64, f64, text, line, whole } = input;

  const push = (value: Pickled) => {
    if (stack.length >= MOST_THINGS) throw broken('holds more than weights need');
    stack.push(value);
  };
  const made = <T extends Pickled>(value: T): T => {
    if (++things > MOST_THINGS) throw broken('makes more than weights need');
    return value;
  };
  const pop = (): Pickled => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw broken('takes what it never made');
    return stack.pop()!;
  };
  const top = (): Pickled => {
    if (stack.length <= (marks.at(-1) ?? 0)) throw broken('takes what it never made');
    return stack.at(-1)!;
  };
  const sinceMark = (): Pickled[] => {
    const mark = marks.pop();
    if (mark === undefined) throw broken('takes what it never made');
    return stack.splice(mark);
  };
  const popped = (count: number): Pickled[] => Array.from({ length: count }, pop).reverse();

  const setItems = (items: readonly Pickled[]) => {
    const dict = top();
    if (!(dict instanceof Map) || items.length % 2 !== 0) throw broken('puts entries into what is no dictionary');
    for (let i = 0; i < items.length; i += 2) {
      const item = items[i]!;
      // A map hashes numbers without a secret: somebody could choose many that all meet in one place.
      const key = typeof item === 'number' || typeof item === 'bigint' ? String(item) : item;
      if (dict.has(key)) throw broken(`has two entries called ${quoted(typeof key === 'string' ? key : typeof key)}`);
      dict.set(key, items[i + 1]!);
    }
  };
  const append = (items: readonly Pickled[]) => {
    const list = top();
    if (!Array.isArray(list)) throw broken('appends to what is no list');
    for (const item of items) list.push(item);
  };
  const remember = (place: number) => {
    // A place beyond them comes from somebody who chose it, as above.
    if (memo.size >= MOST_THINGS || place >= MOST_THINGS) throw broken('remembers more than weights need');
    memo.set(place, top());
  };
  const recall = (place: number) => {
    const value = memo.get(place);
    if (value === undefined) throw broken('recalls what it never made');
    push(value);
  };
  const find = (module: Pickled, name: Pickled) => {
    if (typeof module !== 'string' || typeof name !== 'string') throw broken('names something by no name');
    const word = `${module}.${name}`;
    const known = world.globals.get(word);
    if (known === undefined) throw refused(file, `its pickle asks for ${quoted(word)}, which may run programs`);
    push(known);
  };
  const reduce = () => {
    const [callee, args] = popped(2) as [Pickled, Pickled];
    const value = isObject(callee) && Array.isArray(args) ? world.call(callee, args) : undefined;
    if (value === undefined) throw needless(`REDUCE of ${isObject(callee) ? callee.kind : 'what cannot be called'}`);
    push(made(value));
  };
  const build = () => {
    // What PyTorch hangs on a dictionary of tensors, such as the modules' versions, is not needed; only its kind is looked at.
    const state = pop();
    if (!(top() instanceof Map) || !(state instanceof Map)) throw needless('BUILD of what is no dictionary');
  };
  const refer = () => {
    const value = world.persistent(pop());
    if (value === undefined) throw broken('names a storage in a way that is not known here');
    push(made(value));
  };

  const run: Readonly<Record<string, () => void>> = {
    PROTO: () => {
      const protocol = u8();
      if (protocol < 2 || protocol > 5) throw broken(`is of protocol ${protocol}`);
    },
    // How the bytes were written, nothing else.
    FRAME: () => take(8),
    MARK: () => {
      if (marks.length >= MOST_THINGS) throw broken('holds more than weights need');
      marks.push(stack.length);
    },
    POP: () => (stack.length > (marks.at(-1) ?? 0) ? pop() : sinceMark()),
    POP_MARK: sinceMark,
    DUP: () => push(top()),
    NONE: () => push(null),
    NEWTRUE: () => push(true),
    NEWFALSE: () => push(false),
    BININT: () => push(i32()),
    BININT1: () => push(u8()),
    BININT2: () => push(u16()),
    LONG1: () => push(made(whole(u8()))),
    LONG4: () => push(made(whole(u32()))),
    BINFLOAT: () => push(made(f64())),
    BINUNICODE: () => push(text(u32(), 'utf8')),
    SHORT_BINUNICODE: () => push(text(u8(), 'utf8')),
    BINUNICODE8: () => push(text(u64(), 'utf8')),
    // The plain strings of Python 2.
    SHORT_BINSTRING: () => push(text(u8(), 'latin1')),
    BINSTRING: () => push(text(u32(), 'latin1')),
    EMPTY_LIST: () => push(made([])),
    LIST: () => push(made(sinceMark())),
    APPEND: () => append([pop()]),
    APPENDS: () => append(sinceMark()),
    EMPTY_DICT: () => push(made(new Map())),
    DICT: () => {
      const items = sinceMark();
      push(made(new Map()));
      setItems(items);
    },
    SETITEM: () => setItems(popped(2)),
    SETITEMS: () => setItems(sinceMark()),
    EMPTY_TUPLE: () => push(made([])),
    TUPLE: () => push(made(sinceMark())),
    TUPLE1: () => push(made(popped(1))),
    TUPLE2: () => push(made(popped(2))),
    TUPLE3: () => push(made(popped(3))),
    BINPUT: () => remember(u8()),
    LONG_BINPUT: () => remember(u32()),
    MEMOIZE: () => remember(memo.size),
    BINGET: () => recall(u8()),
    LONG_BINGET: () => recall(u32()),
    GLOBAL: () => find(line(), line()),
    STACK_GLOBAL: () => find(...(popped(2) as [Pickled, Pickled])),
    REDUCE: reduce,
    BUILD: build,
    BINPERSID: refer,
  };

  for (;;) {
    if (input.at() - start > MOST_PICKLE_BYTES) throw broken('is longer than weights need');
    const opcode = u8();
    const name = PICKLE_OPCODES[opcode] ?? `opcode ${opcode}`;
    if (name === 'STOP') return { value: pop(), end: input.at() };
    const step = Object.hasOwn(run, name) ? run[name] : undefined;
    if (step === undefined) throw needless(name);
    step();
  }
}

/** Whether a value is one of those that the world knows. */
export const isObject = (value: Pickled): value is PickledObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Map);
