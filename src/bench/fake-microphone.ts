import { MIC_RATE } from '../protocol/pcm.ts';

/** Moments of one barge-in in the page's clock, in milliseconds. */
export type BargeIn = {
  /** When the onset was recorded, and when the page got `flush`. */
  readonly onset: number;
  readonly flush: number;
  /** When silence was known at the playback worklet's output, and when it left the device. */
  readonly worklet: number;
  readonly device: number;
};

/**
 * A script for the page, to run before its own: its microphone then records what `fakeMicrophone.say(pcm, onset)` is given
 * (PCM16 of 16 kHz in base64, and the sample at which speech begins); `fakeMicrophone.silenced(patienceMs)` resolves with the
 * `BargeIn` that came of it, or with undefined.
 */
export const FAKE_MICROPHONE = `(() => {
  const RATE = ${MIC_RATE};
  const SOON_S = 0.06;
  const AROUND_MS = 500;
  let context;
  let destination;
  let onset = 0;
  const clock = [];
  const read = () => {
    const at = performance.now();
    clock.push({ at, offset: at - context.currentTime * 1000 });
    if (clock.length > 4000) clock.splice(0, 2000);
  };
  navigator.mediaDevices.getUserMedia = async () => {
    if (!context) {
      context = new AudioContext();
      setInterval(read, 2);
    }
    await context.resume();
    destination = context.createMediaStreamDestination();
    return destination.stream;
  };
  window.fakeMicrophone = {
    say(pcm, onsetSample) {
      const bytes = Uint8Array.from(atob(pcm), (letter) => letter.charCodeAt(0));
      const samples = Float32Array.from(new Int16Array(bytes.buffer), (sample) => sample / 32768);
      const buffer = new AudioBuffer({ length: samples.length, sampleRate: RATE });
      buffer.copyToChannel(samples, 0);
      const source = new AudioBufferSourceNode(context, { buffer });
      source.connect(destination);
      const start = context.currentTime + SOON_S;
      performance.clearMarks();
      source.start(start);
      onset = start + onsetSample / RATE;
    },
    silenced: (patienceMs) => new Promise((resolve) => {
      const until = performance.now() + patienceMs;
      const timer = setInterval(() => {
        const found = barge();
        if (!found && performance.now() < until) return;
        clearInterval(timer);
        resolve(found);
      }, 20);
    }),
  };
  const barge = () => {
    const silent = performance.getEntriesByName('voice-chat:silent');
    for (const { startTime, detail } of performance.getEntriesByName('voice-chat:flush')) {
      const end = silent.find((mark) => mark.detail.turn === detail.turn);
      if (end) return { onset: onsetAt(), flush: startTime, worklet: end.detail.known, device: end.startTime };
    }
  };
  // A microphone hands over a block once its last sample is recorded, so the least distance of the two clocks counts.
  const onsetAt = () => {
    const roughly = onset * 1000 + clock.at(-1).offset;
    const near = clock.filter(({ at }) => Math.abs(at - roughly) < AROUND_MS);
    return onset * 1000 + Math.min(...near.map(({ offset }) => offset));
  };
})();`;
