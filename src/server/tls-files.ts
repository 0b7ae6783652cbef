import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { StartError } from './start-error.ts';

/** A certificate and its key, as PEM. */
export type TlsFiles = { readonly cert: Buffer; readonly key: Buffer };

/** Reads the files that `server.tls` names and tries them out; throws `StartError`. */
export function readTlsFiles(paths: { readonly cert: string; readonly key: string }): TlsFiles {
  const files = { cert: read(paths.cert, 'cert'), key: read(paths.key, 'key') };
  try {
    createSecureContext(files);
  } catch (cause) {
    const text = `server.tls: ${paths.cert} and ${paths.key} are not a certificate and its key (${(cause as Error).message}); both must be PEM files.`;
    throw new StartError(text, { cause });
  }
  return files;
}

function read(path: string, key: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : (cause as Error).message;
    throw new StartError(`server.tls.${key}: ${path} ${why}; name a PEM file that this user may read.`, { cause });
  }
}
