/** One thing that was looked at; `fix` says what to do where it is not fine. */
export type Check = {
  readonly name: string;
  readonly result: 'pass' | 'warn' | 'fail';
  readonly found: string;
  readonly fix?: string;
};

/** What a check found, before it has its name. */
export type Finding = Omit<Check, 'name'>;
