import { EngineError, type ToolDescription } from '../contracts.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Of one reply; a model that goes on for ever must be stopped by something. */
const MOST_CALLS = 4;
const MOST_LETTERS = 200;
const MOST_ITEMS = 8;
const MOST_DEPTH = 6;
const LARGEST = 999_999_999_999_999;

/**
 * A GBNF grammar of what may follow `<tool_call>`: a call of one of the tools whose arguments fit its schema, perhaps more
 * calls, then the end. Of JSON schema it holds types, properties, required, enum, const, anyOf, oneOf, the length of texts and
 * lists, and the range of whole numbers; what a grammar cannot hold, such as a pattern, is left to who runs the tool.
 * Throws an `EngineError` that names the tool whose schema makes no sense.
 */
export function toolGrammar(tools: readonly ToolDescription[]): string {
  const calls = tools.map(({ name, parameters }) => {
    const of = (what: string) =>
      new EngineError('llm', `The tool ${JSON.stringify(name)} cannot be offered to the chat model: ${what}.`);
    if (parameters.type !== 'object') throw of('its parameters must be a JSON schema with "type": "object"');
    return `"{" ws ${key('name')} ${literal(name)} ws "," ws ${key('arguments')} ${value(parameters, 0, of)} ws "}"`;
  });
  return [
    `root ::= call (ws "<tool_call>" call){0,${MOST_CALLS - 1}}`,
    'call ::= ws tool ws "</tool_call>"',
    `tool ::= ${calls.join(' | ')}`,
    'ws ::= [ \\n]?',
    'letter ::= [^"\\\\\\x00-\\x1F\\x7F] | "\\\\" (["\\\\/bfnrt] | "u" [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F] [0-9a-fA-F])',
    `text ::= "\\"" letter{0,${MOST_LETTERS}} "\\""`,
    'fraction ::= ("." [0-9]{1,9})?',
    'number ::= "-"? ("0" | [1-9] [0-9]{0,14}) fraction',
    'scalar ::= text | number | "true" | "false" | "null"',
    `list ::= "[" ws (scalar (ws "," ws scalar){0,${MOST_ITEMS - 1}} ws)? "]"`,
    `record ::= "{" ws (text ws ":" ws (scalar | list) (ws "," ws text ws ":" ws (scalar | list)){0,${MOST_ITEMS - 1}} ws)? "}"`,
    '',
  ].join('\n');
}

/** The text as a literal of the grammar. */
const quoted = (text: string): string =>
  `"${[...text]
    .map((letter) => {
      const code = letter.codePointAt(0)!;
      if (letter === '"' || letter === '\\') return `\\${letter}`;
      return code < 0x20 ? `\\x${code.toString(16).padStart(2, '0')}` : letter;
    })
    .join('')}"`;
const literal = (json: unknown): string => quoted(JSON.stringify(json));
const key = (name: string): string => `${literal(name)} ws ":" ws`;
const anyOf = (alternatives: readonly string[]): string =>
  alternatives.length === 1 ? alternatives[0]! : `(${alternatives.join(' | ')})`;

const isSchema = (given: unknown): given is Schema =>
  typeof given === 'object' && given !== null && !Array.isArray(given);

function value(given: unknown, depth: number, wrong: (what: string) => EngineError): string {
  if (given === true || (isSchema(given) && Object.keys(given).length === 0)) return '(scalar | list | record)';
  if (!isSchema(given)) throw wrong(`${JSON.stringify(given)} is no JSON schema`);
  if (depth > MOST_DEPTH) throw wrong(`its schema is more than ${MOST_DEPTH} levels deep`);
  if ('const' in given) return literal(given.const);
  if (Array.isArray(given.enum) && given.enum.length > 0) return anyOf(given.enum.map(literal));
  const choice = given.anyOf ?? given.oneOf;
  if (Array.isArray(choice) && choice.length > 0) return anyOf(choice.map((one) => value(one, depth + 1, wrong)));
  if (Array.isArray(given.type)) return anyOf(given.type.map((type) => value({ ...given, type }, depth + 1, wrong)));
  switch (given.type) {
    case 'object':
      return object(given, depth, wrong);
    case 'array': {
      const item = value(given.items ?? true, depth + 1, wrong);
      const { least, most } = bounds(given.minItems, given.maxItems, MOST_ITEMS);
      const items = most === 0 ? '' : `${item} (ws "," ws ${item}){${Math.max(0, least - 1)},${most - 1}} ws`;
      return `"[" ws ${least === 0 && items !== '' ? `(${items})?` : items} "]"`;
    }
    case 'string': {
      const { least, most } = bounds(given.minLength, given.maxLength, MOST_LETTERS);
      return `"\\"" letter{${least},${most}} "\\""`;
    }
    case 'integer':
      return integer(given, wrong);
    case 'number':
      return atLeast(given) >= 0 ? '("0" | [1-9] [0-9]{0,14}) fraction' : 'number';
    case 'boolean':
      return '("true" | "false")';
    case 'null':
      return '"null"';
    case undefined:
      return given.properties === undefined
        ? '(scalar | list | record)'
        : value({ ...given, type: 'object' }, depth, wrong);
    default:
      throw wrong(`${JSON.stringify(given.type)} is no type of JSON schema`);
  }
}

function object(
  { properties = {}, required = [] }: Schema,
  depth: number,
  wrong: (what: string) => EngineError,
): string {
  if (!isSchema(properties) || !Array.isArray(required))
    throw wrong('its properties or what is required make no sense');
  const names = Object.keys(properties);
  for (const name of required) if (!names.includes(name)) throw wrong(`it requires ${name}, which it does not have`);
  const pair = (name: string) => `${key(name)} ${value(properties[name], depth + 1, wrong)}`;
  const musts = names.filter((name) => required.includes(name)).map(pair);
  const mays = names.filter((name) => !required.includes(name)).map(pair);
  const more = (pairs: readonly string[]) => pairs.map((one) => ` (ws "," ws ${one})?`).join('');
  if (musts.length > 0) return `"{" ws ${musts.join(' ws "," ws ')}${more(mays)} ws "}"`;
  const starts = mays.map((one, i) => `${one}${more(mays.slice(i + 1))} ws`);
  return starts.length === 0 ? '"{" ws "}"' : `"{" ws (${starts.join(' | ')})? "}"`;
}

const atLeast = ({ minimum, exclusiveMinimum }: Schema): number =>
  Math.max(numberOr(minimum, -LARGEST), numberOr(exclusiveMinimum, -LARGEST - 1) + 1);
const atMost = ({ maximum, exclusiveMaximum }: Schema): number =>
  Math.min(numberOr(maximum, LARGEST), numberOr(exclusiveMaximum, LARGEST + 1) - 1);
const numberOr = (given: unknown, otherwise: number): number => (typeof given === 'number' ? given : otherwise);

function bounds(min: unknown, max: unknown, usual: number): { least: number; most: number } {
  const least = Math.max(0, Math.ceil(numberOr(min, 0)));
  return { least, most: Math.max(least, Math.min(numberOr(max, Math.max(usual, least)), Math.max(usual, least))) };
}

function integer(schema: Schema, wrong: (what: string) => EngineError): string {
  const low = Math.ceil(Math.max(-LARGEST, atLeast(schema)));
  const high = Math.floor(Math.min(LARGEST, atMost(schema)));
  if (low > high) throw wrong(`no whole number is both at least ${low} and at most ${high}`);
  const negative = low < 0 ? digits(Math.max(1, -high), -low).map((one) => `"-" ${one}`) : [];
  const positive = high >= 0 ? digits(Math.max(0, low), high) : [];
  return anyOf([...negative, ...positive]);
}

/** Patterns of the whole numbers from `low` to `high`, neither negative, without zeros in front. */
function digits(low: number, high: number): string[] {
  const patterns: string[] = [];
  for (let length = String(low).length; length <= String(high).length; length++) {
    const first = length === 1 ? 0 : 10 ** (length - 1);
    const [from, to] = [Math.max(low, first), Math.min(high, 10 ** length - 1)];
    if (from <= to) patterns.push(...between(String(from), String(to)));
  }
  return patterns;
}

/** Patterns of the numbers between two of the same length, both included. */
function between(from: string, to: string): string[] {
  if (from === to) return [`"${from}"`];
  const [a, b, rest] = [Number(from[0]), Number(to[0]), from.length - 1];
  const any = rest === 0 ? '' : ` [0-9]{${rest}}`;
  if (rest === 0 || (/^0*$/.test(from.slice(1)) && /^9*$/.test(to.slice(1)))) return [`[${a}-${b}]${any}`];
  if (a === b) return between(from.slice(1), to.slice(1)).map((one) => `"${a}" ${one}`);
  return [
    ...between(from.slice(1), '9'.repeat(rest)).map((one) => `"${a}" ${one}`),
    ...(b - a > 1 ? [`[${a + 1}-${b - 1}]${any}`] : []),
    ...between('0'.repeat(rest), to.slice(1)).map((one) => `"${b}" ${one}`),
  ];
}
