import type { WebSocket } from 'ws';
import { decodeFrame, encodeFrame } from '../protocol/frames.ts';
import { CLOSE, type ClientMessage, PROTOCOL_VERSION, type ServerMessage } from '../protocol/messages.ts';
import { MIC_RATE } from '../protocol/pcm.ts';
import { readClientMessage } from './client-messages.ts';
import type { ConnectionWorld } from './connection-world.ts';
import type { SessionEvent } from './conversation/session-event.ts';
import { latestLines } from './latest-lines.ts';
import { RateLimit } from './rate-limit.ts';
import type { HeldSession } from './sessions.ts';
import { noFace, VideoLink, type VideoTier } from './video-link.ts';

const HELLO_MS = 5_000;
const PING_MS = 15_000;
const DRAIN_MS = 5_000;
const WATCH_MS = 1_000;
const MAX_JSON_BYTES = 64 * 1024;
const MAX_BAD_MESSAGES = 20;
/** Audio may come this much faster than it is spoken, after a burst of what was recorded while the socket opened. */
const AUDIO_BURST_SECONDS = 12;
const AUDIO_SPEED = 1.25;
/** What ws closes a socket with that broke WebSocket's own rules; for all others it is 1002. */
const BROKEN: Record<string, number> = {
  WS_ERR_UNSUPPORTED_MESSAGE_LENGTH: CLOSE.tooLarge,
  WS_ERR_INVALID_UTF8: 1007,
};

/** One browser tab: its socket and the session it talks to. Everything a client may get wrong is dealt with here. */
export class Connection {
  readonly #socket: WebSocket;
  readonly #world: ConnectionWorld;
  readonly #messages: RateLimit;
  readonly #audio = new RateLimit(AUDIO_BURST_SECONDS * MIC_RATE, AUDIO_SPEED * MIC_RATE);
  readonly #closed = new AbortController();
  #held: HeldSession | undefined;
  #video: VideoLink | undefined;
  #badMessages = 0;
  #sequence = 0;
  #expectedSequence: number | undefined;
  #alive = true;
  /** The code this side closed with: what a client that is cut off answers is only 1006. */
  #closedWith: number | undefined;
  #lastUse = performance.now();
  #toldVoiceOff = false;
  #full: { since: number; bytes: number } | undefined;

  constructor(socket: WebSocket, world: ConnectionWorld) {
    this.#socket = socket;
    this.#world = world;
    const perSecond = world.limits.messagesPerSecond;
    // Room for ten seconds of microphone frames that were recorded before the socket was open.
    this.#messages = new RateLimit(perSecond + 400, perSecond);
    const hello = setTimeout(() => this.#close(CLOSE.policy, 'No hello came within 5 s.'), HELLO_MS);
    const ping = setInterval(() => this.#beat(), PING_MS);
    const watch = setInterval(() => this.#watch(), WATCH_MS);
    socket.on('message', (data, isBinary) => {
      clearTimeout(hello);
      this.#take(data as Buffer, isBinary);
    });
    socket.on('pong', () => {
      this.#alive = true;
    });
    // What it says the close code says as well, but only to the client.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('WS_ERR_')) this.#closedWith ??= BROKEN[error.code] ?? 1002;
    });
    socket.on('close', (code) => {
      this.#video?.close();
      clearTimeout(hello);
      clearInterval(ping);
      clearInterval(watch);
      this.#closed.abort();
      world.metrics.closed.inc({ code: String(this.#closedWith ?? code) });
      if (this.#held) world.sessions.detach(this.#held);
      this.#held = undefined;
    });
  }

  #take(data: Buffer, isBinary: boolean): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (!this.#messages.take(1)) return this.#close(CLOSE.policy, 'Too many messages per second.');
    if (isBinary) return this.#takeAudio(data);
    if (data.length > MAX_JSON_BYTES) {
      return this.#bad('too_large', `A text message may have ${MAX_JSON_BYTES} bytes; this one has ${data.length}.`);
    }
    const message = readClientMessage(data.toString('utf8'));
    if (typeof message === 'string') return this.#bad('bad_message', message);
    if (message.type === 'hello') return this.#hello(message);
    if (!this.#held) return this.#bad('bad_message', 'The first message must be hello.');
    this.#takeMessage(message, this.#held);
  }

  #takeMessage(message: Exclude<ClientMessage, { type: 'hello' }>, held: HeldSession): void {
    const { session } = held;
    switch (message.type) {
      case 'mic':
        session.setMic(message.mode);
        return;
      case 'text': {
        this.#lastUse = performance.now();
        const { textLetters } = this.#world.limits;
        if (message.text.length > textLetters) {
          const text = `A typed message may have ${textLetters} letters; this one has ${message.text.length}. Shorten it.`;
          return this.#send({ type: 'error', code: 'text_too_long', message: text });
        }
        session.type(message.text);
        return;
      }
      case 'voice': {
        const { voices } = this.#world;
        if (!voices.includes(message.voice.name)) {
          return this.#bad('bad_message', `There is no such voice; choose one of ${voices.join(', ')}.`);
        }
        session.setVoice(message.voice);
        return;
      }
      case 'interrupt':
        session.interrupt();
        return;
      case 'played':
        this.#lastUse = performance.now();
        session.played(message.turn, message.samples, message.final ?? false);
        return;
      case 'clip_received':
        // As many of these come as pieces were sent, which on a quick line are many.
        if (this.#video?.received(message.turn, message.bytes)) this.#messages.give(1);
        return;
      case 'ping':
        this.#send({ type: 'pong', id: message.id });
        return;
      case 'bye':
        this.#held = undefined;
        this.#world.sessions.end(held, 'ended');
        this.#close(1000, 'Goodbye.');
    }
  }

  #takeAudio(data: Buffer): void {
    const frame = decodeFrame(data);
    if (typeof frame === 'string') return this.#bad('bad_message', frame);
    if (frame.kind !== 'mic') return this.#bad('bad_message', 'A browser sends microphone audio only.');
    if (!this.#held) return this.#bad('bad_message', 'The first message must be hello.');
    if (!this.#audio.take(frame.samples.length)) {
      this.#send({ type: 'error', code: 'too_fast', message: 'Audio must not come faster than it is spoken.' });
      return this.#close(CLOSE.policy, 'Audio came faster than real time.');
    }
    const { metrics, voiceInputOff } = this.#world;
    metrics.framesIn.inc();
    if (this.#expectedSequence !== undefined && frame.sequence !== this.#expectedSequence) metrics.framesLost.inc();
    this.#expectedSequence = (frame.sequence + 1) & 0xffff;
    if (voiceInputOff === undefined) this.#held.session.hear(frame.samples);
    else if (!this.#toldVoiceOff) {
      this.#toldVoiceOff = true;
      this.#send({ type: 'error', code: 'voice_input_off', message: voiceInputOff });
    }
  }

  #hello({ version, token, clips }: Extract<ClientMessage, { type: 'hello' }>): void {
    if (this.#held) return this.#bad('bad_message', 'There was a hello before.');
    if (version !== PROTOCOL_VERSION) {
      this.#bad('bad_message', `This server speaks version ${PROTOCOL_VERSION} of the protocol; reload the page.`);
      return this.#close(CLOSE.policy, 'Another version of the protocol.');
    }
    const opened = this.#world.sessions.open(token);
    if (!opened) {
      this.#send({
        type: 'error',
        code: 'server_busy',
        message: 'The server takes no more sessions now; try again later.',
      });
      return this.#close(CLOSE.tryLater, 'No more sessions.');
    }
    const { held, resumed } = opened;
    this.#held = held;
    held.onTakenOver = () => {
      this.#held = undefined;
      held.session.detach();
      this.#video?.close();
      const text = 'This conversation goes on in another tab.';
      this.#send({ type: 'error', code: 'taken_over', message: text });
      this.#close(CLOSE.takenOver, text);
      this.#closed.abort();
    };
    const { engines, speechRate, voices, voiceInputOff, video: tier } = this.#world;
    const { name, speed } = held.session.voice;
    this.#send({
      type: 'welcome',
      version: PROTOCOL_VERSION,
      session: held.id,
      token: held.token,
      resumed,
      micRate: MIC_RATE,
      speechRate,
      engines,
      voices: [...voices],
      voice: { name: name || voices[0]!, speed },
      ...(voiceInputOff === undefined ? {} : { voiceInputOff }),
      ...(tier?.avatar ? { avatar: tier.avatar } : {}),
      lines: latestLines(held.session.lines, this.#world.limits.outboundBytes / 2),
    });
    if (tier?.problem !== undefined) this.#send(noFace(tier.problem));
    if (tier) this.#video = this.#linkTo(tier, held.id, clips === 'pieces');
    this.#world.log.info(resumed ? 'session resumed' : 'session opened', { session: held.id });
    void this.#pump(held);
  }

  #linkTo(tier: VideoTier, session: string, pieces: boolean): VideoLink {
    const { metrics, log } = this.#world;
    const send = (message: ServerMessage) => this.#send(message);
    return new VideoLink({ tier, session, metrics: metrics.ofClips, log, pieces, socket: this.#socket, send });
  }

  /** Hands on what the session says, until the socket or the session ends. */
  async #pump({ session }: HeldSession): Promise<void> {
    for await (const event of session.read(this.#closed.signal)) {
      this.#sendEvent(event);
      // Speech is on its way before the video tier hears of it.
      this.#video?.take(event);
    }
    if (!this.#closed.signal.aborted) this.#close(CLOSE.goingAway, 'The session has ended.');
  }

  #sendEvent(event: SessionEvent): void {
    if (event.type !== 'speech') {
      if (event.type === 'user_said') this.#lastUse = performance.now();
      if (event.type === 'error' && event.stage) {
        this.#world.metrics.engineErrors.inc({ stage: event.stage });
        // Without its message, which may hold what was said.
        this.#world.log.warn('an engine failed', { session: this.#held?.id, stage: event.stage, turn: event.turn });
      }
      // A client that reads slowly can do without what a later message replaces.
      const crowded = this.#socket.bufferedAmount > this.#world.limits.outboundBytes / 4;
      if (!(crowded && event.type === 'partial')) this.#send(event);
      return;
    }
    const { turn, position, samples } = event;
    this.#write(encodeFrame({ kind: 'speech', sequence: this.#sequence++, turn, position, samples }));
  }

  #send(message: ServerMessage): void {
    this.#write(JSON.stringify(message));
  }

  #write(data: string | ArrayBuffer): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    if (this.#video) this.#socket.send(data, () => this.#video?.drained());
    else this.#socket.send(data);
    if (this.#socket.bufferedAmount > this.#world.limits.outboundBytes) this.#slow();
  }

  #bad(code: 'bad_message' | 'too_large', message: string): void {
    this.#send({ type: 'error', code, message });
    if (!this.#held || ++this.#badMessages > MAX_BAD_MESSAGES) this.#close(CLOSE.policy, message);
  }

  #beat(): void {
    if (!this.#alive) return this.#socket.terminate();
    this.#alive = false;
    this.#socket.ping();
  }

  /** Whoever says nothing for long has left; a client whose buffer has not shrunk for five seconds does not read at all. */
  #watch(): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    this.#video?.tick();
    // Whoever waits for a timer may be silent.
    if (this.#held?.session.willSpeak) this.#lastUse = performance.now();
    if (performance.now() - this.#lastUse >= this.#world.limits.idleMinutes * 60_000) {
      return this.#close(CLOSE.idle, 'Nothing was said for a long time.');
    }
    const bytes = this.#socket.bufferedAmount;
    if (bytes === 0) this.#full = undefined;
    else if (!this.#full || bytes < this.#full.bytes) this.#full = { since: performance.now(), bytes };
    else if (performance.now() - this.#full.since > DRAIN_MS) this.#slow();
  }

  #slow(): void {
    this.#world.log.warn('a client reads too slowly and is disconnected', { session: this.#held?.id });
    this.#close(CLOSE.slowConsumer, 'This client reads too slowly.');
    // What is buffered may hold the close frame back for ever.
    setTimeout(() => this.#socket.terminate(), 2_000).unref();
  }

  #close(code: number, reason: string): void {
    this.#closedWith ??= code;
    // A reason may have 123 bytes, and a longer one throws.
    this.#socket.close(code, reason.replace(/[^ -~]/g, '').slice(0, 120));
  }
}
