import { CONSTANTS, FUNCTIONS, factorial, LISTS } from './functions.ts';
import { Quantity } from './quantity.ts';
import { type Token, tokens } from './tokens.ts';

/** A percentage is remembered as one, because "200 + 10%" means ten percent of 200. */
type Value = { readonly quantity: Quantity; readonly percent: boolean };

/** The value of an expression; throws an error whose message is a sentence about what is wrong with it. */
export function evaluate(text: string): Quantity {
  const parser = new Parser(tokens(text));
  return parser.all();
}

/** Recursive descent, weakest operators first. */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(list: readonly Token[]) {
    this.#tokens = list;
  }

  all(): Quantity {
    if (this.#tokens.length === 0) throw new Error('There is nothing to calculate.');
    const { quantity } = this.#sum();
    const left = this.#tokens[this.#at];
    if (left) throw new Error(`"${left.text}" was not expected there.`);
    return quantity;
  }

  #sum(): Value {
    let left = this.#product();
    for (;;) {
      const sign = this.#take('+', '-');
      if (!sign) return left;
      const right = this.#product();
      const amount = right.percent && !left.percent ? left.quantity.times(right.quantity) : right.quantity;
      const quantity = sign === '+' ? left.quantity.plus(amount) : left.quantity.minus(amount);
      left = { quantity, percent: left.percent && right.percent };
    }
  }

  #product(): Value {
    let left = this.#signed();
    for (;;) {
      const sign = this.#take('*', '/', '%', 'mod', 'of');
      if (!sign && !this.#beginsFactor()) return left;
      const right = this.#signed().quantity;
      left = { quantity: combined(sign ?? '*', left.quantity, right), percent: false };
    }
  }

  /** "2 pi" and "3(4 + 5)" are products. */
  #beginsFactor(): boolean {
    const next = this.#tokens[this.#at];
    return (
      next !== undefined && (next.text === '(' || (next.kind === 'name' && next.text !== 'mod' && next.text !== 'of'))
    );
  }

  #signed(): Value {
    if (++this.#depth > 100) throw new Error('It is nested too deeply.');
    const sign = this.#take('-', '+');
    const value = sign ? this.#signed() : this.#power();
    this.#depth--;
    return sign === '-' ? { ...value, quantity: Quantity.of(0).minus(value.quantity) } : value;
  }

  #power(): Value {
    const base = this.#postfix();
    if (!this.#take('^')) return base;
    // To the right first, and -2^2 is -4, as in mathematics.
    return { quantity: base.quantity.power(this.#signed().quantity), percent: false };
  }

  #postfix(): Value {
    let quantity = this.#atom();
    for (;;) {
      if (this.#take('!')) quantity = factorial(quantity);
      else if (this.#tokens[this.#at]?.text === '%' && !this.#isOperand(this.#tokens[this.#at + 1])) {
        this.#at++;
        return { quantity: quantity.dividedBy(Quantity.of(100)), percent: true };
      } else return { quantity, percent: false };
    }
  }

  /** "10 % 3" is a remainder, "10% + 3" and "10% of 3" are percentages. */
  #isOperand(token: Token | undefined): boolean {
    return (
      token !== undefined &&
      (token.kind === 'number' || token.text === '(' || (token.kind === 'name' && token.text !== 'of'))
    );
  }

  #atom(): Quantity {
    const token = this.#tokens[this.#at++];
    if (!token) throw new Error('Something is missing at its end.');
    if (token.kind === 'number') return Quantity.parse(token.text);
    if (token.text === '(') return this.#list(1)[0]!;
    if (token.kind === 'name') return this.#named(token.text);
    throw new Error(`"${token.text}" was not expected there.`);
  }

  #named(name: string): Quantity {
    const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
    if (constant !== undefined) return Quantity.of(constant);
    const one = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    const several = Object.hasOwn(LISTS, name) ? LISTS[name] : undefined;
    if (!one && !several) throw new Error(`"${name}" is not known here.`);
    // "sqrt 2" is understood as well.
    if (one && !this.#next('(')) return one(this.#power().quantity);
    if (!this.#take('(')) throw new Error(`${name} needs parentheses.`);
    return one ? one(this.#list(1)[0]!) : several!(this.#list(20));
  }

  /** What stands between parentheses, the first of which has been read. */
  #list(most: number): Quantity[] {
    const values = [this.#sum().quantity];
    while (this.#take(',')) values.push(this.#sum().quantity);
    if (!this.#take(')')) throw new Error('A closing parenthesis is missing.');
    if (values.length > most) throw new Error(`${values.length} numbers are too many there.`);
    return values;
  }

  #next(text: string): boolean {
    return this.#tokens[this.#at]?.text === text;
  }

  #take(...texts: string[]): string | undefined {
    const text = this.#tokens[this.#at]?.text;
    if (text === undefined || !texts.includes(text)) return undefined;
    this.#at++;
    return text;
  }
}

function combined(sign: string, left: Quantity, right: Quantity): Quantity {
  if (sign === '/') return left.dividedBy(right);
  return sign === '%' || sign === 'mod' ? left.modulo(right) : left.times(right);
}
