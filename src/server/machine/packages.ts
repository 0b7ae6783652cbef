import { access } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { PlanRequest } from './plan-request.ts';

/** The optional npm packages, by what the plan calls them. */
export const PACKAGES = {
  sherpa: 'sherpa-onnx-node',
  llama: 'node-llama-cpp',
  whisper: '@fugood/whisper.node',
  ort: 'onnxruntime-node',
} as const;

const require = createRequire(import.meta.url);

/** Which of the optional packages are installed; whether they load is not tried. */
export async function installedPackages(): Promise<PlanRequest['packages']> {
  const ort = folderOf(PACKAGES.ort);
  return {
    sherpa: folderOf(PACKAGES.sherpa) !== undefined,
    llama: folderOf(PACKAGES.llama) !== undefined,
    whisper: folderOf(PACKAGES.whisper) !== undefined,
    ort: ort !== undefined,
    ortCuda: ort !== undefined && (await hasCudaProvider(ort)),
  };
}

/** The folder of an installed package, looked for as Node does. */
function folderOf(name: string): string | undefined {
  // Not the package's entry: some have none for require().
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return dirname(require.resolve(join(folder, name, 'package.json')));
    } catch {}
  }
  return undefined;
}

/** onnxruntime-node brings it only where its install script could fetch it. */
async function hasCudaProvider(folder: string): Promise<boolean> {
  const library = process.platform === 'win32' ? 'onnxruntime_providers_cuda.dll' : 'libonnxruntime_providers_cuda.so';
  const found = ['napi-v6', 'napi-v3'].map((version) =>
    access(join(folder, 'bin', version, process.platform, process.arch, library)).then(
      () => true,
      () => false,
    ),
  );
  return (await Promise.all(found)).includes(true);
}
