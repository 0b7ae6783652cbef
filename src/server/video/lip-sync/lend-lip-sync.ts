import { Queue } from '../../async/queue.ts';
import type { LipSync } from '../contracts.ts';
import type { PictureCache } from './picture-cache.ts';
import { serveLipSync } from './serve-lip-sync.ts';

/** A message of the lip-sync protocol: JSON, or bytes. */
export type LentMessage = string | Uint8Array;

/**
 * Lends `lipSync` without a socket at hand: what the other voice-chat says comes as `messages`, what it is to hear goes out.
 * Ends when it is served, or with the messages, or once `signal` aborts.
 */
export async function* lendLipSync(
  lipSync: LipSync,
  pictures: PictureCache,
  messages: AsyncIterable<LentMessage>,
  signal: AbortSignal,
): AsyncGenerator<LentMessage, void, undefined> {
  const answers = new Queue<LentMessage>();
  const heard = { close: () => {}, message: (_data: Buffer, _isBinary: boolean) => {} };
  const close = () => {
    heard.close();
    answers.end();
  };
  serveLipSync(
    {
      on(event: 'close' | 'error' | 'message', listener: (data: Buffer, isBinary: boolean) => void) {
        if (event === 'message') heard.message = listener;
        else if (event === 'close') heard.close = listener as () => void;
      },
      send(data, sent) {
        answers.push(data);
        // A turn of the event loop later, so that a long speech does not keep this process from hearing a cancel.
        setImmediate(sent);
      },
      close: () => answers.end(),
    },
    lipSync,
    pictures,
  );
  signal.addEventListener('abort', close, { once: true });
  if (signal.aborted) close();
  void listen(messages, heard, close);
  try {
    yield* answers;
  } finally {
    signal.removeEventListener('abort', close);
    heard.close();
  }
}

async function listen(
  messages: AsyncIterable<LentMessage>,
  heard: { readonly message: (data: Buffer, isBinary: boolean) => void },
  close: () => void,
): Promise<void> {
  try {
    for await (const message of messages)
      heard.message(Buffer.from(message as Uint8Array), typeof message !== 'string');
  } finally {
    close();
  }
}
