const SECTION = { custom: 0, exports: 7 } as const;
const FUNCTION_NAMES = 1;

/**
 * A WebAssembly binary that also exports the functions `names`, found by the names its own `name` section gives them.
 * (The package exports only its command line, whose output has no word times and which must be started for each phrase.)
 * Debug sections are left out. Throws when a function is not there.
 */
export function openExports(wasm: Uint8Array, names: readonly string[]): Uint8Array<ArrayBuffer> {
  const sections = sectionsOf(wasm);
  const index = new Map<string, number>();
  for (const section of sections) {
    if (section.id === SECTION.custom) readFunctionNames(wasm, section, index);
  }
  const added = names.map((name) => {
    const at = index.get(name);
    if (at === undefined) throw new Error(`The WebAssembly file has no function ${name}.`);
    return Buffer.concat([leb(name.length), Buffer.from(name), Buffer.of(0), leb(at)]);
  });
  const parts: Uint8Array[] = [wasm.subarray(0, 8)];
  for (const section of sections) {
    if (section.id === SECTION.exports) {
      const reader = new Reader(wasm, section.start);
      const count = reader.number();
      const body = Buffer.concat([leb(count + names.length), wasm.subarray(reader.at, section.end), ...added]);
      parts.push(Buffer.of(SECTION.exports), leb(body.length), body);
    } else if (section.id !== SECTION.custom) parts.push(wasm.subarray(section.header, section.end));
  }
  return Buffer.concat(parts);
}

type Section = { id: number; header: number; start: number; end: number };

function sectionsOf(wasm: Uint8Array): Section[] {
  const sections: Section[] = [];
  for (const reader = new Reader(wasm, 8); reader.at < wasm.length; ) {
    const header = reader.at;
    const id = reader.byte();
    const length = reader.number();
    sections.push({ id, header, start: reader.at, end: reader.at + length });
    reader.at += length;
  }
  return sections;
}

function readFunctionNames(wasm: Uint8Array, section: Section, index: Map<string, number>): void {
  const reader = new Reader(wasm, section.start);
  if (reader.text() !== 'name') return;
  while (reader.at < section.end) {
    const kind = reader.byte();
    const end = reader.number() + reader.at;
    if (kind === FUNCTION_NAMES) {
      for (let left = reader.number(); left > 0; left--) {
        const at = reader.number();
        index.set(reader.text(), at);
      }
    }
    reader.at = end;
  }
}

class Reader {
  at: number;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array, at: number) {
    this.#bytes = bytes;
    this.at = at;
  }
  byte(): number {
    return this.#bytes[this.at++]!;
  }
  number(): number {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value >>> 0;
    }
  }
  text(): string {
    const length = this.number();
    this.at += length;
    return Buffer.from(this.#bytes.subarray(this.at - length, this.at)).toString();
  }
}

function leb(value: number): Buffer {
  const bytes: number[] = [];
  do {
    bytes.push((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
    value >>>= 7;
  } while (value > 0);
  return Buffer.from(bytes);
}
