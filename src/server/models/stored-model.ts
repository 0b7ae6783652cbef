import type { ModelEntry, ModelFile } from './model-entry.ts';

/** A model whose files are all on this disk. */
export type StoredModel<E extends ModelEntry = ModelEntry> = {
  readonly entry: E;
  /** Of the model's own repository: the snapshot's folder. */
  readonly folder: string;
  /** The commit that was found, which another program may have fetched in place of the entry's. */
  readonly commit: string;
  /** Where each role's file lies; for a role of several files the folder that holds them all. */
  readonly files: Readonly<Record<string, string>>;
  readonly bytes: number;
};

/** A file of a model and the repository and revision it really comes from. */
export type Part = { readonly file: ModelFile; readonly repo: string; readonly revision: string };

/** The files of a model by the repositories they come from; its own is the first, if it has any. */
export function partsByRepo(entry: ModelEntry): Part[][] {
  const groups = new Map<string, Part[]>();
  for (const file of entry.files) {
    const repo = file.repo ?? entry.repo;
    const revision = file.revision ?? (repo === entry.repo ? entry.revision : 'main');
    const key = `${repo}@${revision}`;
    groups.set(key, [...(groups.get(key) ?? []), { file, repo, revision }]);
  }
  return [...groups.values()].sort((a, b) => Number(b[0]!.repo === entry.repo) - Number(a[0]!.repo === entry.repo));
}
