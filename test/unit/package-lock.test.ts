import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

type Locked = { readonly version?: string; readonly integrity?: string; readonly optionalDependencies?: object };

const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'));
const packages = Object.entries(lock.packages as Record<string, Locked>);

it('the lock holds the packages of every platform, without which npm ci refuses to install on any', () => {
  const names = new Set(packages.map(([path]) => path.replace(/^.*node_modules\//, '')));
  const wanted = packages.flatMap(([, { optionalDependencies }]) => Object.keys(optionalDependencies ?? {}));
  expect(wanted.filter((name) => !names.has(name))).toEqual([]);
});

it('the lock holds a checksum of everything', () => {
  expect(packages.filter(([path, { integrity }]) => path && !integrity).map(([path]) => path)).toEqual([]);
});
