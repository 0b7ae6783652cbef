import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type CommandRunner, runCommand } from './run-command.ts';

/** Files that Debian packages bring: which packages, and how to recognise their files under a file-system root. */
export type DebianRequest<T> = {
  readonly packages: readonly string[];
  /** What was looked for, from the first of `roots` that has each file; undefined when some file is in none of them. */
  locate(roots: readonly string[]): Promise<T | undefined>;
};

export type DebianSettings = {
  /** Where unpacked packages are kept; `~/.cache/voice-chat` if not given. */
  readonly cacheDir?: string;
  /** Never ask the network; what is installed or in the cache is still found. */
  readonly offline?: boolean;
  /** Is told, in one sentence, how much is about to be downloaded. */
  readonly say?: (sentence: string) => void;
  /** Runs apt-get and dpkg; a test can put its own here. */
  readonly run?: CommandRunner;
};

/** The packages are neither installed nor in the cache nor to be had; the message says what to do. */
export class PackagesUnavailable extends Error {
  override readonly name = 'PackagesUnavailable';
  constructor(packages: readonly string[], reason: string, options?: ErrorOptions) {
    super(`${reason} Install them with: sudo apt-get update && sudo apt-get install ${packages.join(' ')}`, options);
  }
}

/** The cache folder used when none is configured. */
export const defaultCacheDir = (): string => join(homedir(), '.cache', 'voice-chat');

/**
 * Finds the files of Debian packages: installed ones first, then the cache, and else apt downloads the packages with what
 * they depend on and lacks here, and they are unpacked into the cache. Works without root and leaves the system alone.
 * Throws `PackagesUnavailable`.
 */
export async function provideDebianPackages<T>(
  request: DebianRequest<T>,
  settings: DebianSettings,
  signal: AbortSignal,
): Promise<T> {
  const { packages } = request;
  const cacheDir = settings.cacheDir ?? defaultCacheDir();
  const key = createHash('sha256')
    .update(`${process.arch} ${packages.join(' ')}`)
    .digest('hex')
    .slice(0, 12);
  const unpacked = join(cacheDir, 'debian', `${packages[0]}-${key}`);
  const found = (await request.locate(['/'])) ?? (await request.locate(['/', unpacked]));
  if (found) return found;
  const names = packages.join(' and ');
  if (settings.offline) throw new PackagesUnavailable(packages, `The Debian packages ${names} are not installed.`);

  try {
    await mkdir(join(cacheDir, 'debian'), { recursive: true });
  } catch (cause) {
    throw new PackagesUnavailable(packages, `The cache folder ${cacheDir} cannot be written.`, { cause });
  }
  const scratch = await mkdtemp(join(cacheDir, 'debian', '.fetch-'));
  try {
    await download(packages, scratch, settings, signal);
    await moveInto(unpacked, join(scratch, 'root'), async () => Boolean(await request.locate(['/', unpacked])));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  const fetched = await request.locate(['/', unpacked]);
  if (!fetched) throw new PackagesUnavailable(packages, `The downloaded packages ${names} lack files that are needed.`);
  return fetched;
}

async function download(
  packages: readonly string[],
  scratch: string,
  settings: DebianSettings,
  signal: AbortSignal,
): Promise<void> {
  const run = settings.run ?? runCommand;
  const call = async (command: string, ...args: string[]) => {
    try {
      return await run(command, args, signal);
    } catch (cause) {
      signal.throwIfAborted();
      const reason = `${command} cannot be run here, so ${packages.join(' and ')} cannot be fetched.`;
      throw new PackagesUnavailable(packages, reason, { cause });
    }
  };
  const config = join(scratch, 'apt.conf');
  const archives = join(scratch, 'archives');
  const root = join(scratch, 'root');
  for (const folder of [join(scratch, 'lists', 'partial'), join(archives, 'partial'), root]) {
    await mkdir(folder, { recursive: true });
  }
  await writeFile(config, aptConfig(scratch));
  const install = ['-c', config, 'install', '--yes', '--no-install-recommends', ...packages];

  // Its exit status is not asked: a foreign source that is down fails it, though the packages may still be found.
  const update = await call('apt-get', '-c', config, 'update');
  const plan = await call('apt-get', ...install, '--print-uris');
  const bytes = [...plan.output.matchAll(/^'[^']+' \S+ (\d+) /gm)].reduce((sum, match) => sum + Number(match[1]), 0);
  if (plan.code === 0 && bytes > 0) {
    settings.say?.(`Downloading ${(bytes / 1e6).toFixed(1)} MB of Debian packages (${packages.join(', ')}).`);
  }
  const fetched = plan.code === 0 ? await call('apt-get', ...install, '--download-only') : plan;
  const debs = (await readdir(archives)).filter((name) => name.endsWith('.deb'));
  if (fetched.code !== 0 || debs.length === 0) {
    const complaint = [...`${update.output}\n${fetched.output}`.matchAll(/^[EW]: .+$/gm)].at(-1)?.[0] ?? '';
    throw new PackagesUnavailable(packages, `apt-get could not fetch ${packages.join(' and ')}. ${complaint}`.trim());
  }
  for (const deb of debs) {
    const { code, output } = await call('dpkg', '-x', join(archives, deb), root);
    if (code !== 0) throw new PackagesUnavailable(packages, `dpkg could not unpack ${deb}: ${output.trim()}.`);
  }
}

/** Sends all that apt writes into `scratch`; hooks of the system are for its own apt state, and fail without root. */
function aptConfig(scratch: string): string {
  return `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Install-Pkgs;
Dir::State::Lists "${scratch}/lists/";
Dir::Cache "${scratch}/";
Dir::Cache::archives "${scratch}/archives/";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "${scratch}/";
Debug::NoLocking "true";
APT::Sandbox::User "root";
APT::Keep-Downloaded-Packages "true";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
`;
}

/** Renaming makes it appear whole or not at all. */
async function moveInto(target: string, source: string, complete: () => Promise<boolean>): Promise<void> {
  await rename(source, target).catch(async (error: unknown) => {
    // Another process was first; or what lies there is broken, and gives way.
    if (await complete()) return;
    if (!(await stat(target).catch(() => undefined))) throw error;
    await rm(target, { recursive: true, force: true });
    await rename(source, target);
  });
}
