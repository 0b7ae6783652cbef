import type { ModelFile } from './model-entry.ts';
import { ModelStoreError } from './model-store-error.ts';

/** Throws `ModelStoreError` unless `repo` is a plain `owner/name` (or `name`), fit to become a folder's name. */
export function checkRepo(repo: string): void {
  // Two dashes are how a cache folder writes the slash.
  const isPlain = /^[\w.-]+(\/[\w.-]+)?$/.test(repo) && !/(^|\/)\.\.?(\/|$)/.test(repo) && !repo.includes('--');
  if (!isPlain)
    throw new ModelStoreError(`${JSON.stringify(repo)} is not the name of a repository, such as owner/name.`);
}

/** Throws `ModelStoreError` unless `revision` is a commit, branch or tag that stays below `refs/` as a path. */
export function checkRevision(revision: string): void {
  const parts = revision.split('/');
  if (!parts.every((part) => /^[\w.+-]+$/.test(part) && part !== '.' && part !== '..')) {
    throw new ModelStoreError(`${JSON.stringify(revision)} is not a commit, branch or tag.`);
  }
}

/** Throws `ModelStoreError` unless `path` names a file inside its snapshot, on every operating system. */
export function checkPath(path: string): void {
  // Printable only: what cannot be seen in a list should not be written to a disk.
  const isInside =
    /^[^\\:\p{C}]+$/u.test(path) && path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (!isInside)
    throw new ModelStoreError(`${JSON.stringify(path)} is no file inside its repository; it is not fetched.`);
}

/** Whether the text is a commit: 40 hex digits. */
export const isCommit = (text: string): boolean => /^[0-9a-f]{40}$/.test(text);

/** Whether the text is what the hub names a file's bytes by: the SHA-256 of a large file, or the git SHA-1 of a small one. */
export const isDigest = (text: string): boolean => /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(text);

/** What models are made of; all else (programs, pickles, archives) has no business here. */
const ALLOWED = [
  ...['onnx', 'onnx_data', 'data', 'weights', 'ort', 'gguf', 'safetensors', 'bin', 'raw', 'fst', 'far'],
  ...['json', 'txt', 'md', 'model', 'vocab', 'utf8'],
];

/** What the manifest says of a file's bytes, and of who opens it. */
export type Trust = { readonly [Key in 'sha256' | 'restricted']?: ModelFile[Key] | undefined };

/**
 * Whether a file of this name may be a pickle: one of PyTorch's own, of which the manifest names the very bytes, or which only
 * our own reader opens, that runs nothing.
 */
export function mayBePickle(path: string, { sha256, restricted }: Trust): boolean {
  return (sha256 !== undefined && path.endsWith('.pth')) || (restricted === true && /\.(pth|pt|bin)$/.test(path));
}

/** Throws `ModelStoreError` when a file of this name may hold a program, or a pickle that it may not be; looks at the name only. */
export function checkKind(path: string, trust: Trust = {}): void {
  if (mayBePickle(path, trust)) return;
  const name = path.split('/').at(-1)!;
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  // The voice data of eSpeak NG are hundreds of files without one.
  if (extension === undefined) return;
  if (ALLOWED.includes(extension) && !/^pytorch_model/.test(name)) return;
  throw new ModelStoreError(
    `${path} is not fetched: only ONNX, GGUF, safetensors and plain data files are, since others can run programs.`,
  );
}
