/** What the orb can show; each has a colour of its own in the style sheet. */
export type Phase = 'idle' | 'connecting' | 'listening' | 'hearing' | 'thinking' | 'speaking' | 'muted' | 'offline';

type Rgb = readonly [number, number, number];

/** Milliseconds between two drawings: 30 a second are smooth enough for something that breathes. */
const FRAME_MS = 33;
const CALM: ReadonlySet<Phase> = new Set(['idle', 'muted', 'offline']);

/** Draws a round thing that breathes, listens, turns while it thinks, and moves with the voice. */
export class Orb {
  readonly #canvas: HTMLCanvasElement;
  readonly #pen: CanvasRenderingContext2D;
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  #phase: Phase = 'idle';
  #target = 0;
  #level = 0;
  #colour: Rgb = [125, 153, 144];
  #wanted: Rgb = this.#colour;
  #drawnAt = 0;
  #time = 0;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#pen = canvas.getContext('2d')!;
    const dark = matchMedia('(prefers-color-scheme: dark)');
    dark.addEventListener('change', () => this.show(this.#phase));
    this.#still.addEventListener('change', () => this.#next());
    new ResizeObserver(() => this.#draw(0)).observe(canvas);
    this.show('idle');
    this.#colour = this.#wanted;
    this.#next();
  }

  show(phase: Phase): void {
    this.#phase = phase;
    this.#wanted = parseColour(getComputedStyle(this.#canvas).getPropertyValue('--phase').trim());
    if (this.#still.matches) this.#draw(0);
  }

  /** How loud it is, 0 to 1. */
  set level(level: number) {
    this.#target = level;
  }

  #next(): void {
    requestAnimationFrame((now) => {
      const passed = now - this.#drawnAt;
      // Nobody looks closely at something at rest, and a laptop's battery is worth more.
      if (passed >= (CALM.has(this.#phase) ? 2 * FRAME_MS : FRAME_MS) - 4) {
        this.#drawnAt = now;
        this.#draw(Math.min(100, passed) / 1000);
      }
      if (!this.#still.matches) this.#next();
    });
  }

  #draw(seconds: number): void {
    const { width: cssWidth } = this.#canvas.getBoundingClientRect();
    const size = Math.round(cssWidth * Math.min(2, devicePixelRatio));
    if (size === 0) return;
    if (this.#canvas.width !== size) this.#canvas.width = this.#canvas.height = size;
    this.#advance(seconds);
    const pen = this.#pen;
    const middle = size / 2;
    const base = size * 0.31;
    const breath = this.#still.matches ? 0 : Math.sin(this.#time * 1.3) * 0.018;
    const radius = base * (1 + breath + this.#level * 0.09);
    pen.clearRect(0, 0, size, size);
    this.#glow(middle, radius, size);
    const thinking = this.#phase === 'thinking' || this.#phase === 'connecting';
    for (let layer = 2; layer >= 0; layer--) {
      const swell = (layer * 0.055 + 0.02) * (0.45 + this.#level * 2.1);
      this.#blob(
        middle,
        radius * (1 + swell),
        0.012 + this.#level * 0.075,
        layer,
        layer === 0 ? 1 : 0.3 - layer * 0.08,
      );
    }
    if (thinking) this.#arc(middle, radius * 1.2, size);
  }

  #advance(seconds: number): void {
    const still = this.#still.matches;
    const calm = CALM.has(this.#phase);
    this.#time += seconds * (calm ? 0.7 : 1.2 + this.#level * 1.4);
    const rise = this.#target > this.#level ? 14 : 5;
    this.#level = still || calm ? 0 : this.#level + (this.#target - this.#level) * Math.min(1, seconds * rise);
    const blend = still || seconds === 0 ? 1 : Math.min(1, seconds * 6);
    this.#colour = this.#colour.map((part, i) => part + (this.#wanted[i]! - part) * blend) as unknown as Rgb;
  }

  #glow(middle: number, radius: number, size: number): void {
    const glow = this.#pen.createRadialGradient(middle, middle, radius * 0.8, middle, middle, size / 2);
    glow.addColorStop(0, rgba(this.#colour, 0.28 + this.#level * 0.2));
    glow.addColorStop(1, rgba(this.#colour, 0));
    this.#pen.fillStyle = glow;
    this.#pen.fillRect(0, 0, size, size);
  }

  #blob(middle: number, radius: number, wobble: number, layer: number, alpha: number): void {
    const pen = this.#pen;
    pen.beginPath();
    const points = 72;
    const t = this.#still.matches ? 0 : this.#time * (1 + layer * 0.35);
    for (let i = 0; i <= points; i++) {
      const angle = (i / points) * 2 * Math.PI;
      const wave =
        Math.sin(angle * 3 + t * 1.7 + layer * 2) * 0.5 +
        Math.sin(angle * 2 - t * 1.1 + layer) * 0.35 +
        Math.sin(angle * 5 + t * 2.3) * 0.2;
      const r = radius * (1 + wave * wobble * (1 + layer * 0.5));
      pen.lineTo(middle + Math.cos(angle) * r, middle + Math.sin(angle) * r);
    }
    pen.closePath();
    if (layer > 0) {
      pen.fillStyle = rgba(this.#colour, alpha);
    } else {
      const fill = pen.createRadialGradient(
        middle - radius * 0.35,
        middle - radius * 0.45,
        radius * 0.05,
        middle,
        middle,
        radius * 1.25,
      );
      fill.addColorStop(0, rgba(mix(this.#colour, [255, 255, 255], 0.34), 1));
      fill.addColorStop(0.45, rgba(this.#colour, 1));
      fill.addColorStop(1, rgba(mix(this.#colour, [10, 22, 30], 0.5), 1));
      pen.fillStyle = fill;
    }
    pen.fill();
  }

  #arc(middle: number, radius: number, size: number): void {
    const pen = this.#pen;
    pen.lineWidth = size * 0.012;
    pen.lineCap = 'round';
    const from = this.#still.matches ? 0 : this.#time * 2.6;
    for (const turn of [0, Math.PI]) {
      pen.beginPath();
      pen.arc(middle, middle, radius, from + turn, from + turn + 1.1);
      pen.strokeStyle = rgba(this.#colour, 0.9);
      pen.stroke();
    }
  }
}

function parseColour(hex: string): Rgb {
  const value = Number.parseInt(hex.replace('#', ''), 16);
  return Number.isNaN(value) ? [125, 153, 144] : [value >> 16, (value >> 8) & 255, value & 255];
}

function mix(a: Rgb, b: Rgb, part: number): Rgb {
  return [0, 1, 2].map((i) => a[i]! + (b[i]! - a[i]!) * part) as unknown as Rgb;
}

function rgba([r, g, b]: Rgb, alpha: number): string {
  return `rgba(${Math.round(r)}, ${Math.round(g)}, ${Math.round(b)}, ${alpha})`;
}
