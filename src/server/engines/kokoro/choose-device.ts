import type { KokoroNetwork } from './network.ts';

/** A network that was tried out, and where it computes and why, for people. */
export type ChosenNetwork = { readonly network: KokoroNetwork; readonly runsOn: string };

/** Phrases to try a network with: one to warm it up, and three whose times count. */
export const TRIALS = 4;

/** Says one of the trial phrases, which are all of different lengths, and returns how long that took, in milliseconds. */
export type Trial = (network: KokoroNetwork, phrase: number) => Promise<number>;

/**
 * The network on the device that was asked for; for `auto` the faster one of both, by the median of three phrases after
 * one that does not count, and the CPU where CUDA cannot be used. No phrase is said twice: for every new length CUDA's
 * provider tries out all ways to compute it (in Node this cannot be changed), and in a conversation every length is new.
 */
export async function chooseDevice(
  device: 'auto' | 'cuda' | 'cpu',
  open: (device: 'cuda' | 'cpu') => Promise<KokoroNetwork>,
  time: Trial,
  cpu: string,
): Promise<ChosenNetwork> {
  if (device !== 'auto') {
    const network = await open(device);
    await time(network, 0);
    return { network, runsOn: device === 'cuda' ? 'CUDA' : cpu };
  }
  const card = await tried(open, time);
  const beside = await open('cpu');
  const besideMs = await median(beside, time);
  if (card.network === undefined) return { network: beside, runsOn: `${cpu} (${card.why})` };
  const said = `${Math.round(card.ms)} ms for a short phrase with CUDA, ${Math.round(besideMs)} ms on the CPU`;
  const [network, other] = card.ms <= besideMs ? [card.network, beside] : [beside, card.network];
  await other.close();
  return { network, runsOn: `${network.device === 'cuda' ? 'CUDA' : cpu} (${said})` };
}

type Tried = { network: KokoroNetwork; ms: number } | { network: undefined; why: string };

/** CUDA may load and yet fail at its first call: on a card that is full, or too new for the libraries. */
async function tried(open: (device: 'cuda') => Promise<KokoroNetwork>, time: Trial): Promise<Tried> {
  let network: KokoroNetwork | undefined;
  try {
    network = await open('cuda');
    return { network, ms: await median(network, time) };
  } catch (error) {
    await network?.close().catch(() => {});
    return {
      network: undefined,
      why: (error as Error).message.replace(/, or set tts\.device.*/, '').replace(/\.$/, ''),
    };
  }
}

async function median(network: KokoroNetwork, time: Trial): Promise<number> {
  await time(network, 0);
  const times: number[] = [];
  for (let phrase = 1; phrase < TRIALS; phrase++) times.push(await time(network, phrase));
  return times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!;
}
