/** Where whisper.cpp computes, by what it logged while it loaded a model: nothing for the CPU. */
export type Device = { readonly kind: 'CUDA' | 'Vulkan' | 'Metal'; readonly name: string; readonly software: boolean };

/** What whisper.cpp logs once it has chosen. */
export const CHOSEN = /no GPU found|using \S+ backend/;

const SOFTWARE = /llvmpipe|lavapipe|softpipe|swiftshader/i;
const ON_CPU = 'Device type is CPU';

/** Reads the device out of whisper.cpp's log. */
export function deviceIn(log: string): Device | undefined {
  const backend = /using (\S+) backend/.exec(log)?.[1];
  const failed = /failed to initialize \S+ backend/.test(log);
  const kind = failed ? undefined : (['CUDA', 'Vulkan', 'Metal'] as const).find((one) => backend?.startsWith(one));
  if (!kind)
    return backend?.startsWith('MTL') && !failed ? { kind: 'Metal', name: backend, software: false } : undefined;
  const number = /\d+$/.exec(backend!)?.[0] ?? '0';
  const names = {
    CUDA: new RegExp(`Device ${number}: ([^,\n]+)`),
    Vulkan: new RegExp(`ggml_vulkan: ${number} = ([^|\n(]+)`),
    Metal: /GPU name:\s+([^\n]+)/,
  };
  const name = names[kind].exec(log)?.[1]?.trim() ?? backend!;
  return { kind, name, software: SOFTWARE.test(name) || log.includes(ON_CPU) };
}
