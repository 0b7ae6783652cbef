/** A track that gives silence for so long is believed to be gone. */
const MUTE_MS = 2_000;

/** What the page does with an open microphone. */
export type MicrophoneHandlers = {
  /** 512 samples at 16 kHz. */
  onFrame(samples: Float32Array): void;
  /** The device was pulled out or taken away; the microphone is of no more use. */
  onLost(): void;
};

/** An open microphone; closing it twice is fine. */
export type Microphone = {
  readonly label: string;
  readonly deviceId: string;
  /** What the browser says about echo cancellation. */
  readonly echoCancellation: string;
  readonly rate: number | undefined;
  close(): void;
};

/**
 * Opens the microphone `deviceId` (the browser's choice if undefined) and gives its sound to `handlers`; rejects with
 * the browser's `DOMException`, or a `TypeError` where pages may not record at all.
 */
export async function openMicrophone(
  context: AudioContext,
  deviceId: string | undefined,
  handlers: MicrophoneHandlers,
): Promise<Microphone> {
  if (!navigator.mediaDevices) throw new TypeError('This page may not record.');
  const [stream] = await Promise.all([record(deviceId), addModule(context)]);
  const track = stream.getAudioTracks()[0];
  if (!track) throw new DOMException('No audio track.', 'NotFoundError');
  const source = context.createMediaStreamSource(stream);
  // An output that stays silent: some browsers run a worklet only if it leads somewhere.
  const node = new AudioWorkletNode(context, 'microphone', { channelCount: 1, channelCountMode: 'explicit' });
  node.port.onmessage = (event: MessageEvent<Float32Array>) => handlers.onFrame(event.data);
  source.connect(node).connect(context.destination);

  let mutedFor: ReturnType<typeof setTimeout> | undefined;
  const lost = () => {
    close();
    handlers.onLost();
  };
  const close = () => {
    clearTimeout(mutedFor);
    track.onended = track.onmute = track.onunmute = null;
    node.port.onmessage = null;
    source.disconnect();
    node.disconnect();
    track.stop();
  };
  track.onended = lost;
  track.onmute = () => {
    mutedFor = setTimeout(lost, MUTE_MS);
  };
  track.onunmute = () => clearTimeout(mutedFor);

  const settings = track.getSettings();
  return {
    label: track.label || 'Microphone',
    deviceId: settings.deviceId ?? '',
    echoCancellation: describeEcho(settings.echoCancellation),
    rate: settings.sampleRate,
    close,
  };
}

async function record(deviceId: string | undefined): Promise<MediaStream> {
  const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
  if (!deviceId) return navigator.mediaDevices.getUserMedia({ audio });
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: { ...audio, deviceId: { exact: deviceId } } });
  } catch (error) {
    // The chosen device is not plugged in: another one is better than none.
    if (error instanceof DOMException && (error.name === 'OverconstrainedError' || error.name === 'NotFoundError')) {
      return navigator.mediaDevices.getUserMedia({ audio });
    }
    throw error;
  }
}

const ready = new WeakMap<AudioContext, Promise<void>>();

function addModule(context: AudioContext): Promise<void> {
  let loading = ready.get(context);
  if (!loading) {
    loading = context.audioWorklet.addModule('microphone-worklet.js');
    ready.set(context, loading);
    loading.catch(() => ready.delete(context));
  }
  return loading;
}

function describeEcho(value: unknown): string {
  if (value === undefined) return 'the browser does not say';
  if (value === false) return 'off: use headphones';
  return value === true ? 'on' : `on (${String(value)})`;
}
