import { setTimeout as sleep } from 'node:timers/promises';
import { MIC_RATE } from '../protocol/pcm.ts';
import type { AttentiveLlm } from './attentive-llm.ts';
import { ChatClient, type Reporting } from './chat-client.ts';

/** How the user takes the floor. */
export type Way = 'interrupt' | 'text' | 'speech';

/** What became of a reply that was cut. */
export type CutReply = {
  /** The speech that reached the client, and how many samples of it left its speaker. */
  readonly received: Float32Array;
  readonly played: number;
  readonly rate: number;
  /** The phrases of it that were shown, as written. */
  readonly phrases: readonly string[];
  /** What of it the page was told was heard, and what the chat model was shown of it in the next turn. */
  readonly heard: string;
  readonly shown: string;
};

export type CutPlan = {
  /** Its first message; no two conversations may have the same one. */
  readonly first: string;
  readonly way: Way;
  readonly reporting: Reporting;
  /** Cuts so long after the first audio; or as soon as all of the reply is there, with this share of it played. */
  readonly at: { readonly ms: number } | { readonly share: number };
};

/** Has one conversation with the server at `url` (speaking through `llm`), in which the first reply is cut. */
export async function cutReply(url: string, llm: AttentiveLlm, plan: CutPlan): Promise<CutReply> {
  const client = await ChatClient.open(url, undefined, plan.reporting);
  try {
    if (plan.way === 'speech') {
      client.send({ type: 'mic', mode: 'open' });
      client.startMic();
    }
    const begun = client.next('metrics', 1);
    const done = client.next('reply_done', 1).catch(() => {});
    client.send({ type: 'text', text: plan.first });
    await begun;
    if ('ms' in plan.at) await sleep(plan.at.ms);
    else {
      await done;
      const reply = client.replies.get(1)!;
      reply.played = Math.round(reply.samples * plan.at.share);
    }
    const cut = client.next('cut', 1);
    const shown = llm.shown(plan.first);
    if (plan.way === 'interrupt') {
      client.send({ type: 'interrupt' });
      await cut;
    }
    if (plan.way === 'speech') client.say(new Float32Array(MIC_RATE / 2).fill(0.3));
    else client.send({ type: 'text', text: 'Go on.' });
    const { heard } = (await cut).message;
    const said = (await shown).findLast(({ role }) => role === 'assistant')?.content ?? '';
    const { chunks, played = 0 } = client.replies.get(1)!;
    return {
      received: Float32Array.from(chunks.flatMap((chunk) => [...chunk])),
      played,
      rate: client.welcome.speechRate,
      phrases: client.messages.flatMap(({ message }) =>
        message.type === 'reply_text' && message.turn === 1 ? [message.text] : [],
      ),
      heard,
      shown: said.replace(/…$/, ''),
    };
  } finally {
    client.close();
  }
}
