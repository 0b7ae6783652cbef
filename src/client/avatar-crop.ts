import {
  type Extent,
  type FaceBox,
  fitted,
  middleSquare,
  moved,
  type Square,
  scaled,
  squareAround,
} from './crop-square.ts';
import { element, make } from './dom.ts';

const STEP = 0.01;
const LONG_STEP = 0.05;
const GROW = 1.05;

/** Lets the user choose a square of a picture, by pointer, by keyboard, or by a click on a face that was found. */
export class AvatarCrop {
  readonly #image = element<HTMLImageElement>('crop-image');
  readonly #square = element('crop-square');
  readonly #grip = element('crop-grip');
  readonly #faces = element('crop-faces');
  #picture: Extent = { width: 1, height: 1 };
  #chosen: Square = { x: 0, y: 0, size: 1 };
  #address: string | undefined;

  constructor() {
    this.#drag(this.#square, (from, right, down) => ({ ...from, x: from.x + right, y: from.y + down }));
    this.#drag(this.#grip, (from, right, down) => ({ ...from, size: from.size + Math.max(right, down) }));
    this.#square.addEventListener('keydown', (event) => this.#press(event));
  }

  /** What was chosen, and of what. */
  get crop(): { readonly square: Square; readonly picture: Extent } {
    return { square: this.#chosen, picture: this.#picture };
  }

  /** Shows a picture of this size and the faces in it. */
  open(file: Blob, picture: Extent, faces: readonly FaceBox[]): void {
    this.close();
    this.#picture = picture;
    this.#address = URL.createObjectURL(file);
    this.#image.src = this.#address;
    this.#faces.replaceChildren(...faces.map((face, i) => this.#faceButton(face, i + 1)));
    this.#set(faces[0] ? squareAround(faces[0], picture) : middleSquare(picture));
  }

  /** Lets go of the picture. */
  close(): void {
    if (this.#address) URL.revokeObjectURL(this.#address);
    this.#address = undefined;
    this.#image.removeAttribute('src');
    this.#faces.replaceChildren();
  }

  #faceButton(face: FaceBox, number: number): HTMLButtonElement {
    const button = make('button', 'crop-face');
    button.type = 'button';
    button.setAttribute('aria-label', `Take face ${number}`);
    this.#place(button, face.x, face.y, face.width, face.height);
    button.addEventListener('click', () => this.#set(squareAround(face, this.#picture)));
    return button;
  }

  #set(square: Square): void {
    this.#chosen = fitted(square, this.#picture);
    const { x, y, size } = this.#chosen;
    this.#place(this.#square, x, y, size, size);
    const share = (part: number, whole: number) => `${Math.round((part / whole) * 100)} %`;
    const { width, height } = this.#picture;
    const place = `${share(x, width)} from the left, ${share(y, height)} from the top, ${share(size, width)} wide`;
    this.#square.setAttribute('aria-valuetext', place);
    this.#square.setAttribute('aria-valuenow', String(Math.round((size / Math.min(width, height)) * 100)));
  }

  #place(what: HTMLElement, x: number, y: number, width: number, height: number): void {
    what.style.left = `${(x / this.#picture.width) * 100}%`;
    what.style.top = `${(y / this.#picture.height) * 100}%`;
    what.style.width = `${(width / this.#picture.width) * 100}%`;
    what.style.height = `${(height / this.#picture.height) * 100}%`;
  }

  #drag(handle: HTMLElement, change: (from: Square, right: number, down: number) => Square): void {
    handle.addEventListener('pointerdown', (event) => {
      event.preventDefault();
      event.stopPropagation();
      this.#square.focus();
      handle.setPointerCapture(event.pointerId);
      const from = this.#chosen;
      const perPixel = this.#picture.width / this.#image.getBoundingClientRect().width;
      const move = (now: PointerEvent) => {
        this.#set(change(from, (now.clientX - event.clientX) * perPixel, (now.clientY - event.clientY) * perPixel));
      };
      handle.addEventListener('pointermove', move);
      const done = () => handle.removeEventListener('pointermove', move);
      for (const end of ['pointerup', 'pointercancel']) handle.addEventListener(end, done, { once: true });
    });
  }

  #press(event: KeyboardEvent): void {
    const step = event.shiftKey ? LONG_STEP : STEP;
    const to: Record<string, () => Square> = {
      ArrowLeft: () => moved(this.#chosen, -step, 0, this.#picture),
      ArrowRight: () => moved(this.#chosen, step, 0, this.#picture),
      ArrowUp: () => moved(this.#chosen, 0, -step, this.#picture),
      ArrowDown: () => moved(this.#chosen, 0, step, this.#picture),
      '+': () => scaled(this.#chosen, GROW, this.#picture),
      '-': () => scaled(this.#chosen, 1 / GROW, this.#picture),
      PageUp: () => scaled(this.#chosen, GROW, this.#picture),
      PageDown: () => scaled(this.#chosen, 1 / GROW, this.#picture),
    };
    const change = to[event.key === '=' ? '+' : event.key];
    if (!change) return;
    event.preventDefault();
    this.#set(change());
  }
}
