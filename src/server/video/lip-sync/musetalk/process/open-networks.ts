import { VideoError } from '../../../contracts.ts';
import { converted, type GraphName, graphFile } from '../convert/converted.ts';
import { type ExampleName, readExamples } from '../convert/examples.ts';
import { problemOf } from '../convert/parity.ts';
import { BATCHES, type MuseTalkSettings } from '../networks.ts';
import { type ChosenDevice, chooseDevice, hasCard, wrongNumbers } from './choose-device.ts';
import { type GraphSession, nameOf, openGraph } from './graph-session.ts';
import { bytesNeeded, checkMemory } from './memory.ts';
import { repeated, type Tensors } from './tensors.ts';

/** MuseTalk's networks by the names of their examples. */
export type NetworkName = Exclude<ExampleName, 'trial'>;

/** The networks on one device, each loaded when it is first asked. */
export interface Networks extends AsyncDisposable {
  device(): Promise<ChosenDevice>;
  /** Computes; the inputs have the network's own names, except that of `pose`, which has but one. */
  run(network: NetworkName, inputs: Tensors): Promise<Tensors>;
}

/** What they need of the machine, for tests. */
export type NetworksWorld = {
  readonly open: typeof openGraph;
  readonly hasCard: typeof hasCard;
  readonly checkMemory: typeof checkMemory;
};

/**
 * Opens the networks of a converted folder; blocks its thread while it loads or computes. `say` hears where they compute and
 * what they take. A network that does not give what it gave when it was converted is refused, and for `auto` the next device tried.
 */
export function openNetworks(
  settings: MuseTalkSettings,
  say: (sentence: string) => void,
  { open, hasCard: card, checkMemory: check }: NetworksWorld = { open: openGraph, hasCard, checkMemory },
): Networks {
  const facts = converted(settings.folder);
  const examples = readExamples(settings.folder);
  examples.catch(() => {});
  const refused = new Map<ChosenDevice['device'], string>();
  let chosen: ChosenDevice | undefined;
  const loaded = new Map<NetworkName, GraphSession>();

  async function device(): Promise<ChosenDevice> {
    if (chosen) return chosen;
    chosen = await chooseDevice(settings, (await examples).trial, refused, { open, hasCard: card });
    const bits = chosen.precision === 'f16' ? 16 : 32;
    say(`MuseTalk computes on ${nameOf(chosen.device)} (${bits} bits).`);
    for (const [other, why] of refused) say(`MuseTalk does not compute with ${nameOf(other)}: ${why}`);
    return chosen;
  }

  async function load(network: NetworkName): Promise<GraphSession> {
    const on = await device();
    const { [network]: example } = await examples;
    if (network === 'frame') {
      await check(bytesNeeded(facts, on.device, on.precision === 'f32'), on.device, settings.gpu, say);
    }
    const name: GraphName = network === 'frame' ? `frame-${on.precision}` : network;
    const graph = await open(graphFile(settings.folder, name), on.device, settings.gpu);
    try {
      // On the CPU the conversion has seen the same numbers, and a frame takes seconds.
      if (on.device === 'cpu') return graph;
      for (const batch of network === 'frame' ? BATCHES : [1]) {
        const inputs = Object.entries(example.inputs).map(
          ([input, values]) => [input, repeated(values, batch)] as const,
        );
        const outputs = Object.entries(example.outputs).map(([out, values]) => [out, repeated(values, batch)] as const);
        const problem = problemOf(await graph.run(Object.fromEntries(inputs)), Object.fromEntries(outputs));
        if (problem) throw new VideoError(wrongNumbers(on.device, problem));
      }
      return graph;
    } catch (error) {
      await graph[Symbol.asyncDispose]();
      throw error;
    }
  }

  async function session(network: NetworkName): Promise<GraphSession> {
    for (;;) {
      const known = loaded.get(network);
      if (known) return known;
      try {
        const graph = await load(network);
        loaded.set(network, graph);
        return graph;
      } catch (error) {
        const failed = chosen?.device;
        chosen = undefined;
        // What else is loaded must not go on where this one does not.
        await release();
        if (!(error instanceof VideoError) || settings.device !== 'auto' || !failed || failed === 'cpu') throw error;
        refused.set(failed, error.message);
      }
    }
  }

  async function release(): Promise<void> {
    const graphs = [...loaded.values()];
    loaded.clear();
    for (const graph of graphs) await graph[Symbol.asyncDispose]();
  }

  return {
    device,
    run: async (network, inputs) => {
      const graph = await session(network);
      const [first] = graph.inputs;
      // The published landmark network names its input as it likes.
      return graph.run(network === 'pose' ? { [first!]: Object.values(inputs)[0]! } : inputs);
    },
    [Symbol.asyncDispose]: release,
  };
}
