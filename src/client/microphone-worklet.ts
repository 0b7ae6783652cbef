import { MIC_FRAME, MIC_RATE } from '../protocol/pcm.ts';
import { Resampler } from '../protocol/resampler.ts';

/** Posts a `Float32Array` of 512 samples at 16 kHz whenever so much has been recorded. */
class MicrophoneProcessor extends AudioWorkletProcessor {
  readonly #resampler = new Resampler(sampleRate, MIC_RATE);

  process(inputs: Float32Array[][]): boolean {
    const input = inputs[0]?.[0];
    if (input) this.#resampler.write(input);
    while (this.#resampler.available() >= MIC_FRAME) {
      const frame = new Float32Array(MIC_FRAME);
      this.#resampler.read(frame);
      this.port.postMessage(frame, [frame.buffer]);
    }
    return true;
  }
}

registerProcessor('microphone', MicrophoneProcessor);
