/** Folders that are in use; what is to be removed meanwhile is removed when the last user gives it back. */
export class LentFolders {
  readonly #users = new Map<string, number>();
  readonly #doomed = new Map<string, () => void>();

  /** Notes one more user of `folder`; call the result once it is done with it (again has no effect). */
  lend(folder: string): () => void {
    this.#users.set(folder, (this.#users.get(folder) ?? 0) + 1);
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const users = this.#users.get(folder)! - 1;
      if (users > 0) {
        this.#users.set(folder, users);
        return;
      }
      this.#users.delete(folder);
      this.#doomed.get(folder)?.();
      this.#doomed.delete(folder);
    };
  }

  /** Runs `remove` as soon as nobody uses `folder`. */
  whenFree(folder: string, remove: () => void): void {
    if (this.#users.has(folder)) this.#doomed.set(folder, remove);
    else remove();
  }
}
