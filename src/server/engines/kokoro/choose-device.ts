import type { KokoroNetwork } from './network.ts';

/** A network that was tried out, and where it computes and why, for people. */
export type ChosenNetwork = { readonly network: KokoroNetwork; readonly runsOn: string };

const TRIES = 3;

/**
 * The network on the device that was asked for; for `auto` the faster one of both, by the median of three times the same
 * phrase after a first one that does not count, and the CPU where CUDA cannot be used.
 */
export async function chooseDevice(
  device: 'auto' | 'cuda' | 'cpu',
  open: (device: 'cuda' | 'cpu') => Promise<KokoroNetwork>,
  /** Says a short phrase with it and returns how long that took, in milliseconds. */
  time: (network: KokoroNetwork) => Promise<number>,
  cpu: string,
): Promise<ChosenNetwork> {
  if (device !== 'auto') {
    const network = await open(device);
    await time(network);
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
async function tried(
  open: (device: 'cuda') => Promise<KokoroNetwork>,
  time: (network: KokoroNetwork) => Promise<number>,
): Promise<Tried> {
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

async function median(network: KokoroNetwork, time: (network: KokoroNetwork) => Promise<number>): Promise<number> {
  await time(network);
  const times: number[] = [];
  for (let i = 0; i < TRIES; i++) times.push(await time(network));
  return times.sort((a, b) => a - b)[Math.floor(TRIES / 2)]!;
}
