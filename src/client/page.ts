import type { AudioFrame, ClipPiece } from '../protocol/frames.ts';
import type { ConversationState, ServerMessage } from '../protocol/messages.ts';
import { AvatarPicker } from './avatar-picker.ts';
import { playsPieces } from './clip-feed.ts';
import { listenToComposer, saveText } from './composer.ts';
import { Connection, type ConnectionStatus } from './connection.ts';
import { Details } from './details.ts';
import { element } from './dom.ts';
import { eventText } from './event-text.ts';
import { Face } from './face.ts';
import { listenToKeys } from './keyboard.ts';
import { formatMs } from './latency.ts';
import { connectionProblem, microphoneProblem } from './problems.ts';
import { Replay } from './replay.ts';
import { Screen } from './screen.ts';
import { Settings } from './settings.ts';
import { Sound } from './sound.ts';
import type { SpeakerHealth } from './speaker.ts';
import { describeStatus, type Situation } from './status-text.ts';
import { sessionToken } from './token.ts';
import { Transcript } from './transcript.ts';
import { TranscriptView } from './transcript-view.ts';
import { Voice } from './voice.ts';
import { VoiceFields } from './voice-choice.ts';
import { WakeLock } from './wake-lock.ts';

type Welcome = Extract<ServerMessage, { type: 'welcome' }>;
type Played = Parameters<ConstructorParameters<typeof Sound>[0]['onPlayed']>[0];

/** Joins the parts: what the user does goes to the server, what the server says is heard and shown. */
export class Page {
  readonly #screen = new Screen();
  readonly #details = new Details();
  readonly #transcript = new Transcript();
  readonly #view = new TranscriptView(element('log'), element('empty'), element('latest'));
  readonly #face = new Face({
    onReceived: (turn, bytes) => void this.#connection.send({ type: 'clip_received', turn, bytes }),
    onFact: (name, value) => this.#details.set(name, value),
  });
  readonly #picker = new AvatarPicker((avatar) => this.#face.show(avatar));
  readonly #replay = new Replay(element('log'), {
    quiet: () => this.#conversation === 'listening',
    onRefused: () => this.#screen.toast('Wait until the reply has ended, then play it again.'),
  });
  readonly #wakeLock = new WakeLock();
  readonly #connection: Connection;
  readonly #sound: Sound;
  readonly #voice: Voice;
  readonly #voiceFields = new VoiceFields((voice) => void this.#connection.send({ type: 'voice', voice }));
  #link: Situation['link'] = 'connecting';
  #conversation: ConversationState = 'listening';
  #voiceInputOff: string | undefined;
  #faceProblem: string | undefined;
  #held = false;
  /** Words and last reports that could not be sent, for the next connection. */
  #unsentTexts: string[] = [];
  #unsentPlayed: Played[] = [];
  /** How much of which reply was heard, to mark the word that is spoken. */
  #heard = { turn: 0, samples: 0 };

  constructor() {
    const url = new URL('ws/chat', location.href);
    url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
    const handlers = {
      onMessage: (message: ServerMessage) => this.#take(message),
      onSpeech: ({ turn, position, samples }: AudioFrame) => {
        this.#sound.play(turn, position, samples);
        this.#face.speech(turn);
      },
      onClipPiece: (piece: ClipPiece) => this.#face.takePiece(piece),
      onStatus: (status: ConnectionStatus) => this.#takeStatus(status),
    };
    const clips = playsPieces() ? 'pieces' : 'url';
    this.#connection = new Connection(() => new WebSocket(url), sessionToken, handlers, clips);
    this.#sound = new Sound(
      {
        onPlayed: (message) => this.#report(message),
        onProgress: (turn, heard, level, health) => this.#progress(turn, heard, level, health),
        onSound: (report) => this.#face.heard(report),
        onSilent: (turn, afterMs) => this.#silent(turn, afterMs),
      },
      (state) => this.#showSound(state),
    );
    this.#voice = new Voice(this.#connection, {
      onChange: () => this.#show(),
      onLevel: (level) => this.#screen.showMicLevel(level),
      onLost: (error) => this.#microphoneFailed(error),
    });
    const settings = new Settings({
      onMicrophone: (id) => {
        this.#voice.choose(id || undefined).catch((error) => this.#microphoneFailed(error));
      },
      onSpeaker: (id) => {
        this.#replay.sink = id;
        this.#sound.choose(id).catch(() => this.#screen.toast('That speaker could not be used; choose another one.'));
      },
      onVolume: (volume) => {
        this.#sound.volume = volume;
        this.#replay.volume = volume;
      },
    });
    navigator.mediaDevices?.addEventListener('devicechange', () => settings.refresh());
    this.#listen();
  }

  /** Connects and shows what there is. */
  open(): void {
    this.#show();
    this.#connection.open();
    if (!window.isSecureContext) this.#screen.showProblem('microphone', microphoneProblem(undefined, false));
  }

  #listen(): void {
    element('talk').addEventListener('click', () => (this.#voice.live ? this.#end() : this.#start()));
    element('mute').addEventListener('click', () => {
      this.#voice.muted = !this.#voice.muted;
    });
    element('ptt').addEventListener('click', () => {
      this.#held = false;
      this.#voice.pushToTalk = !this.#voice.pushToTalk;
    });
    element('interrupt').addEventListener('click', () => this.#interrupt());
    element('new').addEventListener('click', () => this.#startAnew());
    element('save').addEventListener('click', () => this.#save());
    listenToKeys({
      pushToTalk: () => this.#voice.live && this.#voice.pushToTalk,
      onHold: (held) => {
        this.#held = held;
        this.#voice.held = held;
        this.#show();
      },
      onInterrupt: () => this.#interrupt(),
    });
    listenToComposer((text) => this.#say(text));
  }

  async #start(): Promise<void> {
    this.#connection.open();
    const context = this.#sound.start();
    if (this.#voiceInputOff) {
      element('text').focus();
      return this.#showVoiceInputOff();
    }
    this.#wakeLock.wanted = true;
    this.#details.log('microphone: opening');
    try {
      await this.#voice.start(context);
    } catch (error) {
      return this.#microphoneFailed(error);
    }
    this.#screen.solved('microphone');
    const { microphone } = this.#voice;
    if (!microphone) return;
    this.#details.log('microphone: open');
    this.#details.set('Microphone', microphone.rate ? `${microphone.label}, ${microphone.rate} Hz` : microphone.label);
    this.#details.set('Echo cancellation', microphone.echoCancellation);
    this.#details.set('Audio in the page', `${context.sampleRate} Hz`);
  }

  #end(): void {
    this.#voice.stop();
    this.#interrupt();
    this.#wakeLock.wanted = false;
    this.#details.log('microphone: closed');
  }

  #microphoneFailed(error: unknown): void {
    this.#wakeLock.wanted = false;
    const name = error instanceof Error || error instanceof DOMException ? error.name : 'unknown';
    this.#details.log(`microphone: ${name}`);
    this.#screen.showProblem('microphone', microphoneProblem(error, window.isSecureContext));
    this.#show();
  }

  #say(text: string): void {
    this.#connection.open();
    this.#sound.start();
    this.#view.follow();
    // The answer to what was typed replaces what is being said; do not wait for the server to say so.
    this.#hush();
    if (!this.#connection.send({ type: 'text', text })) this.#unsentTexts.push(text);
  }

  #interrupt(): void {
    if (!this.#interruptible()) return;
    this.#hush();
    this.#connection.send({ type: 'interrupt' });
    this.#details.log('interrupt');
  }

  /** Stops a turn's voice and face (the newest one's if left out) and those before it. */
  #hush(turn?: number): void {
    this.#face.cut(turn);
    this.#sound.flush(turn);
  }

  #interruptible(): boolean {
    return this.#conversation === 'speaking' || this.#conversation === 'thinking';
  }

  #startAnew(): void {
    this.#hush();
    this.#transcript.clear();
    this.#view.clear();
    this.#unsentPlayed = [];
    this.#connection.restart();
    this.#voice.disconnected();
  }

  #save(): void {
    const text = this.#transcript.toText();
    if (text === '') this.#screen.toast('Nothing has been said yet.');
    else saveText(text);
  }

  #takeStatus(status: ConnectionStatus): void {
    const was = this.#link;
    this.#details.log(`connection: ${status.state}${status.state === 'closed' ? ` ${status.code}` : ''}`);
    if (status.state === 'ready') {
      this.#link = 'ready';
      this.#screen.showLink('ready', 'Connected');
      this.#screen.solved('connection');
    } else if (status.state === 'connecting') {
      if (this.#link !== 'lost') this.#screen.showLink('connecting', 'Connecting…');
    } else {
      this.#link = 'lost';
      this.#conversation = 'listening';
      if (was === 'ready') {
        // The server counts a broken reply as heard up to the last report, so the rest of it must not sound.
        this.#hush();
        this.#voice.disconnected();
      }
      this.#showLost(status);
    }
    this.#show();
  }

  #showLost(status: ConnectionStatus): void {
    this.#screen.showLink('lost', status.state === 'closed' ? 'Disconnected' : 'Reconnecting…');
    if (status.state === 'closed') {
      this.#voice.stop();
      this.#wakeLock.wanted = false;
    }
    const problem = connectionProblem(status);
    if (!problem) return;
    this.#screen.showProblem('connection', problem, { label: problem.button, run: () => this.#connection.open() });
  }

  #take(message: ServerMessage): void {
    const event = eventText(message);
    if (event) this.#details.log(event);
    const exchange = this.#transcript.apply(message);
    if (exchange) this.#view.show(exchange, this.#heardOf(exchange.turn));
    this.#face.take(message);
    switch (message.type) {
      case 'welcome':
        return this.#welcome(message);
      case 'state':
        this.#conversation = message.state;
        if (message.state !== 'listening') this.#replay.stop();
        return this.#show();
      case 'user_said':
        return this.#screen.announce(`You: ${message.text}`);
      case 'reply_done':
        this.#endOfSpeech(message.turn);
        if (exchange?.reply?.state === 'done') this.#screen.announce(`Assistant: ${exchange.reply.spoken.text}`);
        return;
      case 'flush':
        this.#hush(message.turn);
        if (!this.#sound.context)
          this.#connection.send({ type: 'played', turn: message.turn, samples: 0, final: true });
        return;
      case 'cut':
        return this.#screen.announce(`Assistant, cut short: ${message.heard}`);
      case 'avatar':
        this.#showFaceProblem(message.avatar.problem);
        return this.#picker.show(message.avatar);
      case 'metrics':
        return void (exchange && this.#view.showMetrics(exchange));
      case 'notice':
        return this.#screen.toast(message.text);
      case 'error':
        return this.#showError(message);
      case 'goaway':
        return this.#screen.toast(`The server is going away: ${message.reason}`);
      case 'pong':
        return this.#details.set('Round trip', formatRoundTrip(this.#connection.roundTripMs));
    }
  }

  #welcome(message: Welcome): void {
    this.#conversation = 'listening';
    if (message.resumed) this.#transcript.restore(message.lines);
    else {
      this.#transcript.archive();
      this.#view.divide('A new conversation begins: the server no longer has the old one');
      this.#unsentPlayed = [];
      this.#heard = { turn: 0, samples: 0 };
      this.#sound.reset();
    }
    for (const exchange of this.#transcript.exchanges) this.#view.show(exchange);
    this.#face.begin(message.speechRate, message.avatar, message.resumed);
    this.#picker.show(message.avatar);
    this.#showFaceProblem(message.avatar?.problem);
    this.#sound.rate = message.speechRate;
    const voice = this.#voiceFields.show(message.voices, message.voice);
    if (voice) this.#connection.send({ type: 'voice', voice });
    for (const played of this.#unsentPlayed.splice(0)) this.#connection.send(played);
    this.#voice.connected();
    for (const text of this.#unsentTexts.splice(0)) this.#connection.send({ type: 'text', text });
    this.#details.set('Session', message.session);
    this.#details.set('Voice detection', message.engines.vad);
    this.#details.set('Recognition', message.engines.asr);
    this.#details.set('Language model', message.engines.llm);
    this.#details.set('Voice', message.engines.tts);
    this.#voiceInputOff = message.voiceInputOff;
    if (this.#voiceInputOff) this.#showVoiceInputOff();
    this.#show();
  }

  #showVoiceInputOff(): void {
    this.#screen.showProblem('voice-input', {
      title: 'Voice input is off; typing works.',
      fix: this.#voiceInputOff ?? '',
    });
  }

  /** Once for each problem: it may be told again with every change of the face. */
  #showFaceProblem(problem: string | undefined): void {
    const isNew = problem !== this.#faceProblem;
    this.#faceProblem = problem;
    if (problem === undefined) this.#screen.solved('face');
    else if (isNew)
      this.#screen.showLesserProblem('face', { title: 'The face cannot move as it should.', fix: problem });
  }

  #showError(error: Extract<ServerMessage, { type: 'error' }>): void {
    if (error.code === 'voice_input_off') {
      this.#voiceInputOff = error.message;
      this.#voice.stop();
      return this.#showVoiceInputOff();
    }
    if (error.code === 'server_busy') {
      return this.#screen.showProblem('connection', { title: 'The server is busy.', fix: error.message });
    }
    if (error.code === 'video_failed' && error.turn === undefined) {
      return this.#screen.showLesserProblem('face', { title: 'There is no face; talking works.', fix: error.message });
    }
    // That one is shown otherwise, by the reason for the close.
    if (error.code !== 'taken_over') this.#screen.toast(error.message);
  }

  #endOfSpeech(turn: number): void {
    if (this.#sound.context) this.#sound.end(turn);
    // Nobody has touched this page since it was loaded, so it was not allowed to make a sound.
    else this.#connection.send({ type: 'played', turn, samples: 0, final: true });
  }

  #report(message: Played): void {
    if (message.final) this.#face.over(message.turn);
    if (!this.#connection.send(message) && message.final) this.#unsentPlayed.push(message);
  }

  #progress(turn: number, heard: number, level: number, health: SpeakerHealth): void {
    this.#screen.showVoiceLevel(level);
    this.#face.level = level;
    this.#heard = { turn, samples: heard };
    const exchange = this.#transcript.exchanges.find((each) => each.turn === turn);
    if (exchange) this.#view.show(exchange, heard);
    this.#details.set('Underruns', String(health.underruns));
    this.#details.set('Playback buffer', `starts at ${Math.round(health.startMs)} ms`);
    this.#details.set('Output latency', `${Math.round(health.latencyMs)} ms`);
  }

  #heardOf(turn: number): number {
    if (turn === this.#heard.turn) return this.#heard.samples;
    return turn < this.#heard.turn || !this.#sound.context ? Number.POSITIVE_INFINITY : 0;
  }

  #silent(turn: number, afterMs: number): void {
    const exchange = this.#transcript.of(turn);
    exchange.silentMs = afterMs;
    this.#view.showMetrics(exchange);
    this.#details.set('Last stop', `silent ${formatMs(afterMs)} after the order`);
    this.#details.log(`silent: turn ${turn}, ${formatMs(afterMs)}`);
  }

  #showSound(state: AudioContextState | 'interrupted'): void {
    if (state === 'running') return this.#screen.solved('sound');
    if (state === 'closed') return;
    this.#details.log(`sound: ${state}`);
    const stuck = state === 'interrupted';
    this.#screen.showProblem(
      'sound',
      stuck
        ? { title: 'The sound has stopped.', fix: 'Something else took it, a call perhaps; press the button to go on.' }
        : { title: 'The browser holds the sound back.', fix: 'Press the button to let it play.' },
      { label: 'Play sound', run: () => (stuck ? this.#restartSound() : this.#sound.start()) },
    );
  }

  /** A context that is stuck stays so: takes a new one, and the microphone with it. */
  async #restartSound(): Promise<void> {
    const { live } = this.#voice;
    this.#voice.stop();
    const discarded = this.#sound.discard();
    this.#sound.start();
    await discarded;
    if (live) await this.#start();
  }

  #show(): void {
    const { live, muted, pushToTalk } = this.#voice;
    const held = this.#held;
    const now = { link: this.#link, conversation: this.#conversation, live, muted, pushToTalk, held };
    const status = describeStatus({ ...now, voiceInputOff: this.#voiceInputOff !== undefined });
    this.#screen.showStatus(status);
    this.#face.phase = status.phase;
    this.#screen.showControls({ live, muted, pushToTalk, held, interruptible: this.#interruptible() });
  }
}

function formatRoundTrip(ms: number | undefined): string {
  return ms === undefined ? 'not yet measured' : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`;
}
