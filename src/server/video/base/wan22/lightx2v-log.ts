/** The step that LightX2V begins, counted from 1, and how many there are. */
export type StepLine = { readonly step: number; readonly steps: number };

/** What a line of LightX2V's output says of its progress; its interface says nothing. */
export function stepIn(line: string): StepLine | undefined {
  const [, step, steps] = /==> step_index:\s*(\d+)\s*\/\s*(\d+)/.exec(line) ?? [];
  if (steps === undefined || Number(steps) < 1) return undefined;
  return { step: Math.min(Number(step), Number(steps)), steps: Number(steps) };
}

/** How many weights a LoRA changed, in a line of LightX2V's output that says so. */
export function appliedIn(line: string): number | undefined {
  const [, count] = /\bApplied (\d+)\b.*\blora\b|\bApplied (\d+) of \d+/i.exec(line)?.filter(Boolean) ?? [];
  return count === undefined ? undefined : Number(count);
}

/** Whether a line says that a LoRA was left out, which LightX2V does not count as an error. */
export const saysNoLora = (line: string): boolean => /cannot apply lora|no lora weights were applied/i.test(line);

const KEPT = 60;

/** The last lines of LightX2V's output; those that may repeat what was to be shown are never quoted. */
export class LastLines {
  readonly #lines: string[] = [];

  add(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > KEPT) this.#lines.shift();
  }

  /**
   * Why it ended, as far as its output says: a known reason as a sentence with its fix, else its last lines, none of which
   * repeats one of `secrets`.
   */
  reason(python: string, secrets: readonly string[]): string {
    const all = this.#lines.join('\n');
    if (/No module named '?lightx2v/.test(all)) return notInstalled(python);
    const lacking = /No module named '([\w.]+)'/.exec(all)?.[1];
    if (lacking) return `${python} lacks the package ${lacking}, which LightX2V needs (docs/video-models.md).`;
    if (/not found|No such file or directory/.test(all) && all.includes(python) && this.#lines.length < 4) {
      return `${python} is no program here. Correct video.baseClips.python.`;
    }
    if (/out of memory/i.test(all)) {
      return 'The memory of the card ran out. Free some of it (a smaller llm.model), or set video.baseClips.weights: int8.';
    }
    const quoted = this.#lines.filter((line) => mayBeQuoted(line, secrets)).slice(-3);
    if (quoted.length === 0) return 'It said nothing. Is video.baseClips.python the one with LightX2V?';
    return `Its last lines: ${quoted.map((line) => line.trim().slice(0, 200)).join(' | ')}`;
  }

  /** Whether the port was taken by another program in between. */
  get portWasTaken(): boolean {
    return this.#lines.some((line) => /address already in use/i.test(line));
  }
}

const notInstalled = (python: string) =>
  `LightX2V is not installed for ${python}. Install it there (pip install git+https://github.com/ModelTC/LightX2V, then the kernels: docs/video-models.md), or set video.baseClips.python to the Python that has it.`;

/** Only errors are quoted, and no line that may repeat what somebody said. */
const mayBeQuoted = (line: string, secrets: readonly string[]): boolean =>
  /error|exception|fail|not found|cannot|killed|abort/i.test(line) &&
  !/prompt|input_info|task_data|base64/i.test(line) &&
  !secrets.some((secret) => secret.length > 3 && line.includes(secret.trim().slice(0, 12)));
