import type { MouthShape } from '../../contracts.ts';
import { SILENCE, VISEMES } from './classes.ts';
import { BANDS, type FeatureRow, HOP, MelFeatures } from './features.ts';
import { ROWS_AFTER, ROWS_BEFORE, VisemeNetwork } from './network.ts';

/** Rows of features to a frame: 40 ms. */
const ROWS = 4;
/** A mouth takes its shape from what is said around the middle of its frame and 10 ms later: it moves ahead of the sound. */
const CENTRE = 3;
const FROM = -2;
const TO = 7;
const SPREAD = 2.2;
/** How far a mouth opens and closes from one frame to the next. */
const MOST_OPENING = 0.45;
const MOST_CLOSING = 0.4;
/** Lips that are pressed together were quick to close. */
const MOST_PRESSING = 1;
/** A voice this far below its loudest parts (dB) moves the mouth least, and at the other it opens it wholly. */
const SOFT_DB = -20;
const FULL_DB = 0;
const LEAST = 0.1;
/** Openings this small are closed. */
const CLOSED = 0.08;

const CLOSED_MOUTH: MouthShape = { open: 0, wide: 0, pressed: 0, teeth: 0 };

const WEIGHTS = Array.from({ length: TO - FROM + 1 }, (_, i) =>
  Math.exp(-((FROM + i - CENTRE) ** 2) / (2 * SPREAD ** 2)),
);

/** What is heard in one row. */
type Heard = { readonly chances: Float32Array; readonly loudness: number };

const BEFORE: FeatureRow = { bands: new Float32Array(BANDS).fill(-3), loudness: SOFT_DB };
const UNHEARD: Heard = { chances: Float32Array.from(VISEMES, (_, i) => Number(i === SILENCE)), loudness: SOFT_DB };

/** Turns sound (mono, 16 kHz) into mouth shapes, 25 a second; a shape needs the sound up to 113 ms after its frame's begin. */
export class MouthTrack {
  readonly #features = new MelFeatures();
  readonly #network = new VisemeNetwork();
  /** Rows and what was heard in them, from row `#firstRow` and `#firstHeard` on. */
  readonly #rows: FeatureRow[] = [];
  readonly #heard: Heard[] = [];
  #firstRow = 0;
  #firstHeard = 0;
  #frame = 0;
  #last = CLOSED_MOUTH;

  /** Takes more sound; gives the shapes that it completes. */
  *write(samples: Float32Array): Generator<MouthShape, void, undefined> {
    for (const row of this.#features.write(samples)) {
      this.#rows.push(row);
      const at = this.#firstRow + this.#rows.length - 1 - ROWS_AFTER;
      if (at < 0) continue;
      this.#listen(at);
      if (at === this.#frame * ROWS + TO) yield this.#shape();
    }
  }

  /** Goes on in silence until the next shape is complete, and gives it. */
  next(): MouthShape {
    for (;;) for (const shape of this.write(new Float32Array(HOP))) return shape;
  }

  #listen(at: number): void {
    const row = (offset: number) => (this.#rows[at + offset - this.#firstRow] ?? BEFORE).bands;
    const chances = this.#network.judge(row).slice();
    this.#heard.push({ chances, loudness: this.#rows[at - this.#firstRow]!.loudness });
    if (this.#rows.length > ROWS_BEFORE + ROWS_AFTER + 1) {
      this.#rows.shift();
      this.#firstRow++;
    }
  }

  #shape(): MouthShape {
    const begin = this.#frame++ * ROWS;
    const sum = { open: 0, wide: 0, pressed: 0, teeth: 0, dominance: 0, power: 0, weight: 0 };
    for (const [i, weight] of WEIGHTS.entries()) {
      const { chances, loudness } = this.#heard[begin + FROM + i - this.#firstHeard] ?? UNHEARD;
      sum.power += weight * 10 ** (loudness / 20);
      sum.weight += weight;
      for (const [k, { open, wide, pressed, teeth, dominance }] of VISEMES.entries()) {
        const share = weight * chances[k]! * dominance;
        sum.open += share * open;
        sum.wide += share * wide;
        sum.pressed += share * pressed;
        sum.teeth += share * teeth;
        sum.dominance += share;
      }
    }
    const past = Math.max(0, begin + ROWS + FROM - this.#firstHeard);
    this.#heard.splice(0, past);
    this.#firstHeard += past;
    const loudness = 20 * Math.log10(sum.power / sum.weight + 1e-9);
    return this.#moved({
      open: (sum.open / sum.dominance) * openness(loudness),
      wide: sum.wide / sum.dominance,
      pressed: firmly(sum.pressed / sum.dominance),
      teeth: sum.teeth / sum.dominance,
    });
  }

  /** The way from the last shape to this one, as far as a mouth goes in 40 ms. */
  #moved({ open, wide, pressed, teeth }: MouthShape): MouthShape {
    const wanted = Math.max(0, open * (1 - pressed) - CLOSED) / (1 - CLOSED);
    const last = this.#last.open;
    const closing = MOST_CLOSING + (MOST_PRESSING - MOST_CLOSING) * pressed;
    this.#last = {
      open: Math.max(last - closing, Math.min(last + MOST_OPENING, wanted, 1)),
      wide: clamp(wide, -1, 1),
      pressed,
      teeth: clamp(teeth, 0, 1),
    };
    return this.#last;
  }
}

const clamp = (value: number, low: number, high: number) => Math.max(low, Math.min(high, value));

const openness = (loudness: number) => LEAST + (1 - LEAST) * clamp((loudness - SOFT_DB) / (FULL_DB - SOFT_DB), 0, 1);

/** Lips meet or they do not: what is likely becomes sure. */
const firmly = (pressed: number) => clamp((pressed - 0.3) / 0.45, 0, 1);
