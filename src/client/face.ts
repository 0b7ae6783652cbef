import type { ClipPiece } from '../protocol/frames.ts';
import type { AvatarView, ServerMessage } from '../protocol/messages.ts';
import { ClipPlayer } from './clip-player.ts';
import { element } from './dom.ts';
import { FaceLayers } from './face-layers.ts';
import { HeardClock, type SoundReport } from './heard-clock.ts';
import type { Phase } from './orb.ts';
import { ReplyTurns } from './reply-turns.ts';

/** What the face tells the page. */
export type FaceHandlers = {
  /** So many bytes of this turn's clip have arrived. */
  onReceived(turn: number, bytes: number): void;
  /** A figure for the panel. */
  onFact(name: string, value: string): void;
};

const STAGES = { waiting: 'waits its turn', base: 'body in the making', speaking: 'mouth in the making' } as const;
/** How often the panel is told of a clip that runs. */
const FACTS_MS = 500;
/** The fade of 150 ms in the style sheet, and a frame more. */
const FADE_OUT_MS = 170;

/** The assistant's face: picture and loops, and over them the clip of the reply that is heard. */
export class Face {
  readonly #stage = element('face');
  readonly #video = element<HTMLVideoElement>('clip');
  readonly #ring = element('face-progress');
  readonly #layers = new FaceLayers();
  readonly #turns = new ReplyTurns();
  readonly #handlers: FaceHandlers;
  #clock: HeardClock | undefined;
  #clip: ClipPlayer | undefined;
  #dropped = 0;
  #avatar: AvatarView | undefined;
  #base: number | undefined;
  #factsAt = 0;

  constructor(handlers: FaceHandlers) {
    this.#handlers = handlers;
    this.#video.addEventListener('transitionend', () => this.#video.classList.remove('fading'));
  }

  /** Another session begins, whose speech has `rate` samples per second. */
  begin(rate: number, avatar: AvatarView | undefined, resumed: boolean): void {
    this.#drop();
    if (!resumed) this.#turns.reset();
    this.#clock = new HeardClock(rate);
    this.show(avatar);
  }

  /** Shows this avatar. */
  show(avatar: AvatarView | undefined): void {
    this.#avatar = avatar;
    this.#stage.hidden = !avatar;
    document.body.toggleAttribute('data-face', avatar !== undefined);
    this.#layers.show(avatar);
    this.#showProgress();
  }

  /** The conversation is in this phase. */
  set phase(phase: Phase) {
    this.#layers.phase = phase;
    if (this.#avatar) this.#handlers.onFact('Face', this.#clip?.state ?? this.#layers.shown);
  }

  /** How loud the voice that is heard is, 0 to 1. */
  set level(level: number) {
    if (this.#avatar) this.#stage.style.setProperty('--voice', level.toFixed(2));
  }

  /** Speech of this turn has come. */
  speech(turn: number): void {
    this.#turns.saw(turn);
    if (this.#clip && !this.#turns.live(this.#clip.turn)) this.#drop();
  }

  /** The speaker's report of what sounds. */
  heard(report: SoundReport): void {
    const before = this.#clock?.beganMs(report.turn);
    this.#clock?.report(report);
    const began = this.#clock?.beganMs(report.turn);
    if (!this.#avatar || before !== undefined || began === undefined) return;
    performance.mark('voice-chat:sound', { startTime: Math.max(0, began), detail: { turn: report.turn } });
  }

  /** Takes what the server says of clips. */
  take(message: ServerMessage): void {
    if (message.type === 'avatar') this.show(message.avatar);
    else if (message.type === 'clip_progress') {
      const { stage, done } = message;
      this.#base = stage === 'base' ? done : undefined;
      this.#showProgress();
      const share = done === undefined ? '' : `, ${Math.round(done * 100)} %`;
      this.#handlers.onFact('Clip', `turn ${message.turn}, ${STAGES[stage]}${share}`);
    } else if (message.type === 'speaking_clip') this.#begin(message);
    else if (message.type === 'clip_done' && message.turn === this.#clip?.turn) {
      void this.#clip.end(message.bytes, message.url);
    } else if (message.type === 'error' && message.code === 'video_failed') this.#stopProgress();
  }

  /** Takes a piece of a clip; one of a reply that is past is dropped. */
  takePiece({ turn, position, bytes }: ClipPiece): void {
    if (this.#clip?.turn === turn) this.#clip.push(bytes);
    this.#handlers.onReceived(turn, position + bytes.length);
  }

  /** The reply was cut: the face listens when this returns. The newest one if `turn` is left out. */
  cut(turn?: number): void {
    this.#turns.end(turn);
    this.#video.classList.remove('fading');
    this.#dropPast();
    this.#stopProgress();
  }

  /** The reply was heard to its end. */
  over(turn: number): void {
    this.#turns.end(turn);
    if (this.#clip && !this.#turns.live(this.#clip.turn)) this.#fadeOut(this.#clip);
  }

  #begin(message: Extract<ServerMessage, { type: 'speaking_clip' }>): void {
    this.#stopProgress();
    if (message.turn <= (this.#clip?.turn ?? 0)) return;
    this.#turns.saw(message.turn);
    if (!this.#turns.live(message.turn)) {
      this.#handlers.onFact('Clips dropped', String(++this.#dropped));
      return;
    }
    this.#drop();
    this.#clip = new ClipPlayer(this.#video, message, () => this.#clock, {
      onShow: (shown, fades) => this.#showClip(shown, fades),
      onFrame: (offsetMs) => this.#tellFrame(offsetMs),
    });
    this.#handlers.onFact('Clip', `turn ${message.turn}, ${message.width} × ${message.height}`);
  }

  #showClip(shown: boolean, fades: boolean): void {
    this.#video.classList.toggle('on', shown);
    this.#video.classList.toggle('fading', fades);
    this.#handlers.onFact('Face', shown ? 'clip' : this.#layers.shown);
  }

  #tellFrame(offsetMs: number): void {
    const now = performance.now();
    if (now - this.#factsAt < FACTS_MS) return;
    this.#factsAt = now;
    this.#handlers.onFact('Picture against sound', `${offsetMs > 0 ? '+' : ''}${Math.round(offsetMs)} ms`);
  }

  #dropPast(): void {
    if (!this.#clip || this.#turns.live(this.#clip.turn)) return;
    this.#handlers.onFact('Clips dropped', String(++this.#dropped));
    this.#drop();
  }

  #drop(): void {
    this.#clip?.close();
    this.#clip = undefined;
  }

  /** The last frame stays until the loop has taken over. */
  #fadeOut(clip: ClipPlayer): void {
    if (!this.#video.classList.contains('on')) return this.#drop();
    this.#video.classList.add('fading');
    this.#video.classList.remove('on');
    const done = () => {
      if (this.#clip === clip) this.#drop();
    };
    setTimeout(done, FADE_OUT_MS);
  }

  #stopProgress(): void {
    this.#base = undefined;
    this.#showProgress();
  }

  #showProgress(): void {
    const done = this.#base ?? this.#avatar?.making;
    this.#ring.hidden = done === undefined;
    if (done !== undefined) this.#ring.style.setProperty('--done', done.toFixed(3));
  }
}
