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

/**
 * Throws `ModelStoreError` when a file of this name may hold a program or a pickle; looks at the name only. PyTorch's own
 * files are taken where the manifest names their very bytes (`isKnown`), which then are no stranger's.
 */
export function checkKind(path: string, isKnown = false): void {
  const name = path.split('/').at(-1)!;
  const extension = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase();
  if (isKnown && extension === 'pth') return;
  // The voice data of eSpeak NG are hundreds of files without one.
  if (extension === undefined) return;
  if (ALLOWED.includes(extension) && !/^pytorch_model/.test(name)) return;
  throw new ModelStoreError(
    `${path} is not fetched: only ONNX, GGUF, safetensors and plain data files are, since others can run programs.`,
  );
}
